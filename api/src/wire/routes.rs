//! Routes that answer a wrong method as they should.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::{FromRequest, Handler, HttpResponse, Responder, Route, guard, web};

use crate::problem::ApiError;

/// What to answer where there is nothing: `App::new().default_service(web::to(not_found))`.
pub async fn not_found() -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotFound)
}

/// A route for GET, and so for HEAD.
pub fn get<F, Args>(handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::route().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler)
}

/// A resource that answers a method which is not there with an exact `Allow`: `resource("/advice").get(list).post(add)`.
pub fn resource(path: &str) -> Resource {
    Resource { inner: web::resource(path), allow: Vec::new() }
}

/// See [`resource`].
pub struct Resource {
    inner: actix_web::Resource,
    allow: Vec<&'static str>,
}

macro_rules! method {
    ($name:ident, $method:literal, $guard:path) => {
        #[doc = concat!("Answers ", $method, ".")]
        pub fn $name<F, Args>(mut self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.allow.push($method);
            self.inner = self.inner.route(web::route().guard($guard()).to(handler));
            self
        }
    };
}

impl Resource {
    method!(post, "POST", guard::Post);
    method!(put, "PUT", guard::Put);
    method!(patch, "PATCH", guard::Patch);
    method!(delete, "DELETE", guard::Delete);

    /// Answers GET and HEAD.
    pub fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allow.extend(["GET", "HEAD"]);
        self.inner = self.inner.route(get(handler));
        self
    }

    /// Data for the handlers of this resource alone, such as a larger limit on the body.
    pub fn app_data<T: 'static>(mut self, data: T) -> Self {
        self.inner = self.inner.app_data(data);
        self
    }
}

impl HttpServiceFactory for Resource {
    fn register(self, config: &mut AppService) {
        let allow = self.allow.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async move { Err::<HttpResponse, _>(ApiError::MethodNotAllowed(allow)) }
        };
        self.inner.default_service(web::to(refuse)).register(config);
    }
}
