//! The event stream against what the description of the API says of an event: it never ends, so no tool for whole answers tries it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail loudly")]

use reqwest::Method;
use serde_json::Value;

use crate::world::{World, wish};

/// Reads a stream from the beginning of the log to a cursor; returns the frames.
async fn frames(world: &World, until: u64) -> Vec<String> {
    let mut response = world.raw(Method::GET, "/v1/events/stream?after=0").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut text, last) = (String::new(), format!("id: {until}\n"));
    while !text.contains(&last) || !text.ends_with("\n\n") {
        text += std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
    }
    text.split_terminator("\n\n").map(str::to_owned).collect()
}

/// Returns whether a value is of one of the types that a schema names.
fn fits(value: &Value, schema: &Value) -> bool {
    let is_of = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().any(is_of),
        name => is_of(name),
    }
}

#[tokio::test]
async fn each_event_of_the_stream_is_what_the_description_of_the_api_says() {
    let world = World::ready().await;
    let lease = world.client.acquire(&wish("r1")).await.unwrap();
    world.client.release(&lease.id).await.unwrap();
    world.client.drain("small", Some("a look")).await.unwrap();
    let newest = world.client.events(0, 1000).await.unwrap().events.last().unwrap().cursor;
    let told: Value = world.raw(Method::GET, "/v1/openapi.json").send().await.unwrap().json().await.unwrap();
    let schema = &told["components"]["schemas"]["Event"];
    let (known, required) =
        (schema["properties"].as_object().unwrap(), schema["required"].as_array().unwrap());
    let frames = frames(&world, newest).await;
    assert!(5 < frames.len(), "{frames:?}");
    for frame in frames {
        let mut lines = frame.lines();
        let id = lines.next().unwrap().strip_prefix("id: ").unwrap();
        let event: Value =
            serde_json::from_str(lines.next().unwrap().strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(lines.next(), None, "{frame}");
        assert_eq!(event["cursor"].to_string(), id);
        for (name, value) in event.as_object().unwrap() {
            let schema = known.get(name).unwrap_or(&Value::Null);
            assert!(!schema.is_null() && fits(value, schema), "{name} of {frame}");
        }
        assert!(required.iter().all(|name| event.get(name.as_str().unwrap()).is_some()), "{frame}");
        assert!(event["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{frame}");
    }
}
