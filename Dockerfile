FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# TLS towards PostgreSQL builds OpenSSL from source, with the perl and make of this image.
RUN cargo build --locked --release --features api/postgres-tls --bin wijkaanzet

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin wijkaanzet \
    && install --directory --owner=wijkaanzet --mode=0750 /data
# For sslrootcert=/etc/ssl/certs/ca-certificates.crt in DATABASE_URL.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/LICENSE /usr/share/doc/wijkaanzet/LICENSE
COPY --from=build /src/target/release/wijkaanzet /usr/local/bin/wijkaanzet
ENV LISTEN=0.0.0.0:8080 DATA_DIR=/data
# By number, so that an orchestrator sees it is not root.
USER 10001
VOLUME /data
EXPOSE 8080
# No HEALTHCHECK: the image has no HTTP client. Probe /health/live and /health/ready from outside.
ENTRYPOINT ["wijkaanzet"]
CMD ["serve"]
