//! An advice as a plain page, for people and for the government's harvester, which reads no JSON.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};

use crate::advice::AdviceView;

const STYLE: &str = "body{font:1.05rem/1.6 Georgia,serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.15rem;margin-top:2rem}dt{font-weight:bold}dd{margin:0 0 .6rem}\
.note{border-left:.3rem solid #00811f;padding-left:.8rem}";

/// Lets the page use its own style and nothing else.
pub fn allow_style(response: &mut HttpResponse) {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
}

/// The page. Every text is escaped.
pub fn advice(advice: &AdviceView, public_url: &str) -> String {
    let mut body = String::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            body.push_str(&format!("<dt>{name}</dt><dd>{}</dd>", escape(&value)));
        }
    };
    let councils = &advice.councils;
    row("Ingediend door", Some(councils.lead.to_string()));
    let cosigners: Vec<String> =
        councils.cosigners.iter().map(|cosigner| cosigner.council.to_string()).collect();
    row("Medeondertekenaars", (!cosigners.is_empty()).then(|| cosigners.join(", ")));
    row("Soort", Some(advice.kind.dutch().to_owned()));
    row("Status", Some(advice.status.dutch().to_owned()));
    row("Uitkomst", advice.outcome.map(|outcome| outcome.dutch().to_owned()));
    row("Ontvangen op", advice.received_on.map(|on| on.to_string()));
    row(
        "Antwoord verwacht op",
        advice.term.due_on.filter(|_| advice.answered_on.is_none()).map(|on| on.to_string()),
    );
    row("Beantwoord op", advice.answered_on.map(|on| on.to_string()));
    row("Termijn", Some(advice.term.state.dutch().to_owned()));
    row("Portefeuillehouder", advice.portfolio_holder_name.clone());
    let references: Vec<String> = advice.references.iter().map(|reference| reference.value.clone()).collect();
    row("Kenmerken", (!references.is_empty()).then(|| references.join(", ")));
    let mut points = String::new();
    for point in &advice.points {
        points.push_str(&format!("<li value=\"{}\">{}", point.number, escape(&point.text)));
        if let Some(outcome) = point.outcome {
            points.push_str(&format!("<p class=\"note\"><strong>{}</strong>", escape(outcome.dutch())));
            if let Some(reasons) = &point.reasons {
                points.push_str(&format!(": {}", escape(reasons)));
            }
            points.push_str("</p>");
        }
        points.push_str("</li>");
    }
    let mut responses = String::new();
    for response in &advice.responses {
        let on = response.sent_on.map(|on| on.to_string()).unwrap_or_default();
        responses.push_str(&format!("<h2>{} {on}</h2>", escape(response.kind.dutch())));
        if let Some(text) = &response.text {
            responses.push_str(&format!("<p>{}</p>", escape(text)));
        }
        if let Some(considerations) = &response.considerations {
            responses.push_str(&format!("<p>Stedelijke afweging: {}</p>", escape(&considerations.weighing)));
        }
    }
    let made_up = if advice.origin == domain::codes::Origin::Demonstration {
        "<p class=\"note\">Dit is een verzonnen voorbeeld.</p>"
    } else {
        ""
    };
    let summary =
        advice.summary.as_deref().map(|summary| format!("<p>{}</p>", escape(summary))).unwrap_or_default();
    let subject = escape(&advice.subject);
    let list =
        if points.is_empty() { String::new() } else { format!("<h2>Adviespunten</h2><ol>{points}</ol>") };
    format!(
        "<!doctype html><html lang=\"nl\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{subject}</title><style>{STYLE}</style></head><body><main><h1>{subject}</h1>{made_up}{summary}\
         <dl>{body}</dl>{list}{responses}\
         <p><a href=\"{}/v1/advice/{}\">JSON</a></p></main></body></html>",
        escape(public_url),
        advice.id
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
