//! Every parameter of every route, as the OpenAPI document lists them, given everything that it should not be.

use http::Method;
use screensort_routes::{Access, TABLE};
use screensort_tests::{Product, contract, encoded, shared};
use serde_json::Value;

/// Text that shows other than what it says, or nothing.
const DECEPTIVE: [&str; 12] = [
    "a\u{0}b",
    "a\nb",
    "a\r\nSet-Cookie: x",
    "a\tb",
    "\u{7f}",
    "a\u{85}b",
    "a\u{202e}b",
    "a\u{2066}b\u{2069}",
    "\u{200b}",
    "\u{feff}star",
    "a\u{2028}b",
    "a\u{e0041}b",
];

/// What an attacker types first: as text it is text.
const ATTACKS: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "' OR '1'='1",
    "1; DROP TABLE movies;--",
    "{\"$ne\": null}",
    "[$gt]=",
    "attribute_exists(pk)",
    "MOVIE#13",
    "../../../../etc/passwd",
    "${jndi:ldap://x/y}",
    "{{7*7}}",
    "%s%s%n",
    "$(id) `id` |id",
];

/// A parameter as the document lists it.
struct Listed {
    route: String,
    name: String,
    is_path: bool,
    schema: Value,
    /// A list takes its items joined by commas.
    is_list: bool,
}

/// Every path that anyone may read, with what the document says of it.
fn reads() -> Vec<(&'static str, &'static Value)> {
    let anyones = TABLE.iter().filter(|r| r.method == Method::GET && r.access == Access::Anyone);
    anyones.map(|route| (route.path, &contract::DOCUMENT["paths"][route.path]["get"])).collect()
}

/// Every parameter of every route.
fn listed() -> Vec<Listed> {
    let mut all = Vec::new();
    for (route, get) in reads() {
        for parameter in get["parameters"].as_array().unwrap() {
            let schema = &parameter["schema"];
            let is_list = schema["type"] == "array";
            all.push(Listed {
                route: route.to_owned(),
                name: parameter["name"].as_str().unwrap().to_owned(),
                is_path: parameter["in"] == "path",
                schema: if is_list { schema["items"].clone() } else { schema.clone() },
                is_list,
            });
        }
    }
    all
}

/// A value that a parameter of this name takes.
fn sound(route: &str, name: &str) -> &'static str {
    match (route, name) {
        ("/people/{id}", "id") => "2000000000",
        (_, "id") => "550",
        (_, "asset") => "start.js",
        (_, "code") => "gone",
        (_, "q") => "star",
        (_, "region") => "US",
        _ => panic!("{route} has a new parameter {name} that must be given: say here what it takes"),
    }
}

/// The route with every parameter that must be given, but not `without`; ready for more of the query.
fn path(route: &str, without: &str) -> String {
    let operation = &contract::DOCUMENT["paths"][route]["get"];
    let (mut path, mut query) = (route.to_owned(), String::from("?"));
    for parameter in operation["parameters"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["required"] == true && name != without {
            if parameter["in"] == "path" {
                path = path.replace(&format!("{{{name}}}"), sound(route, name));
            } else {
                query.push_str(&format!("{name}={}&", sound(route, name)));
            }
        }
    }
    path + &query
}

impl Listed {
    /// A call that gives the parameter this value, which is percent-encoded already.
    fn call(&self, value: &str) -> String {
        let mut path = path(&self.route, &self.name);
        if self.name == "certification_lte" {
            path.push_str("region=US&");
        }
        if self.is_path {
            return path.replace(&format!("{{{}}}", self.name), value);
        }
        format!("{path}{}={value}", self.name)
    }

    /// Values that its schema rules out.
    fn ruled_out(&self) -> Vec<String> {
        let schema = &self.schema;
        let mut values: Vec<String> = ["", "+", "%20"].map(str::to_owned).into();
        let numbers = [
            "x",
            "1.5",
            "-1",
            "+5",
            "05",
            "1e1",
            "0x1",
            "%D9%A1",
            "%EF%BC%95",
            "NaN",
            "inf",
            "5%00",
            "%205",
            "5%20",
            "true",
            "null",
        ];
        match schema["type"].as_str() {
            Some("integer") => {
                values.extend(numbers.map(str::to_owned));
                values.extend(["99999999999999999999".to_owned(), "4294967297".to_owned()]);
                let (min, max) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
                values.push((max + 1).to_string());
                values.extend(min.checked_sub(1).map(|below| below.to_string()));
            }
            Some("number") => {
                values.extend(numbers.map(str::to_owned).into_iter().filter(|n| n != "1.5"));
                values.extend(["10.1", "7.55", "11", ".5", "5.", "1,5"].map(str::to_owned));
            }
            _ if schema["enum"].is_array() => {
                let first = schema["enum"][0].as_str().unwrap();
                values.extend([
                    "x".to_owned(),
                    first.to_uppercase(),
                    format!("{first}%20"),
                    format!("{first}%2C{first}"),
                ]);
            }
            _ if schema["pattern"].is_string() => {
                values.extend(["x", "xyz", "1", "%C3%A9%C3%A9", "Us", "uS"].map(str::to_owned));
            }
            _ => {
                let most = usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap();
                values.push("a".repeat(most + 1));
                values.push("%F0%9F%8E%AC".repeat(most + 1));
            }
        }
        if self.is_path {
            // An empty segment is another path.
            values.retain(|value| !value.is_empty());
        }
        values
    }
}

async fn assert_refused(product: &Product, parameter: &Listed, value: &str) {
    product.get(&parameter.call(value)).await.refuses(&parameter.name);
}

#[tokio::test]
async fn the_document_lists_parameters_to_walk() {
    assert!(listed().len() > 30);
}

#[tokio::test]
async fn values_of_the_wrong_type_or_out_of_range_are_refused_by_name() {
    let product = shared().await;
    for parameter in listed() {
        for value in parameter.ruled_out() {
            // A path is not decoded by the gateway: there, these two are names that nothing has.
            let is_name = parameter.is_path && parameter.schema["type"] == "string";
            if !(is_name && ["+", "%20"].contains(&value.as_str())) {
                assert_refused(product, &parameter, &value).await;
            }
        }
    }
}

#[tokio::test]
async fn ten_kilobytes_are_refused_by_name() {
    let product = shared().await;
    for parameter in listed() {
        for piece in ["a", "1", "%41", "%C3%A9", "1,"] {
            assert_refused(product, &parameter, &piece.repeat(10_240 / piece.len())).await;
        }
    }
}

#[tokio::test]
async fn characters_that_deceive_are_refused_by_name() {
    let product = shared().await;
    for parameter in listed().iter().filter(|parameter| !parameter.is_path) {
        for text in DECEPTIVE {
            assert_refused(product, parameter, &encoded(text)).await;
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_by_name() {
    let product = shared().await;
    for parameter in listed().iter().filter(|parameter| !parameter.is_path) {
        for bytes in
            ["%", "%4", "%zz", "%ff", "%c3", "%c3%28", "%ed%a0%80", "%f5%80%80%80", "%c0%af", "star%"]
        {
            assert_refused(product, parameter, bytes).await;
        }
    }
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused_by_name() {
    let product = shared().await;
    for parameter in listed().iter().filter(|parameter| !parameter.is_path) {
        let name = &parameter.name;
        for values in ["1&{}=1", "1&{}=2", "&{}=", "1&{}=1&{}=1"] {
            assert_refused(product, parameter, &values.replace("{}", name)).await;
        }
        // Written in another way it is still the same name.
        let first: String = name.chars().take(1).map(|c| format!("%{:02x}", u32::from(c))).collect();
        assert_refused(product, parameter, &format!("1&{first}{}=1", &name[1..])).await;
    }
}

#[tokio::test]
async fn a_parameter_that_must_be_given_is_missed_by_name() {
    let product = shared().await;
    for (route, get) in reads() {
        for parameter in get["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true && parameter["in"] == "query" {
                product.get(&path(route, name)).await.refuses(name);
            }
        }
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_there_is_refused_by_name() {
    let product = shared().await;
    for (route, _) in reads() {
        for name in
            ["nope", "__proto__", "user_id", "LIMIT", "limit[]", "q.x", "Authorization", "callback", "a-b"]
        {
            product.get(&format!("{}{name}=1", path(route, ""))).await.refuses(name);
            product.get(&format!("{}{name}", path(route, ""))).await.refuses(name);
        }
        // A name that may not be shown as it is is shown in part.
        for name in ["", "%3Cscript%3E", "%E2%80%AEx", "x%0d%0ay", &"n".repeat(10_000)] {
            let answer = product.get(&format!("{}{name}=1", path(route, ""))).await;
            let document = answer.refused(400, "bad_parameter");
            let pointer = document["errors"][0]["pointer"].as_str().unwrap();
            assert!(pointer.starts_with('/') && pointer.len() <= 41, "{pointer}");
            assert!(pointer.chars().all(|c| c.is_ascii_graphic()), "{pointer}");
        }
    }
}

#[tokio::test]
async fn every_fault_is_named_at_once() {
    let product = shared().await;
    let answer = product.get("/movies?genre=x&sort=x&limit=0&nope=1&min_rating=11&q=").await;
    for name in ["genre", "sort", "limit", "nope", "min_rating", "q"] {
        answer.refuses(name);
    }
    let many: String = (0..3_000).map(|at| format!("p{at}=1&")).collect();
    let answer = product.get(&format!("/movies?{many}")).await;
    let document = answer.refused(400, "bad_parameter");
    assert!(document["errors"].as_array().unwrap().len() <= 20, "one answer need not name them all");
}

#[tokio::test]
async fn attacks_are_text_and_no_answer_repeats_them() {
    let product = shared().await;
    for parameter in listed() {
        for attack in ATTACKS {
            let answer = product.get(&parameter.call(&encoded(attack))).await;
            assert!([200, 400, 404].contains(&answer.status), "{}", answer.shown());
            let is_text = parameter.name == "q";
            assert_eq!(answer.status == 200, is_text, "{}", answer.shown());
            assert!(!answer.text().contains(attack), "{}", answer.shown());
            if answer.status == 400 && parameter.name != "cursor" {
                answer.refuses(&parameter.name);
            }
        }
    }
}

#[tokio::test]
async fn attacks_in_headers_are_not_repeated_either() {
    let product = shared().await;
    for name in [
        "user-agent",
        "referer",
        "accept",
        "accept-language",
        "origin",
        "x-forwarded-host",
        "if-none-match",
        "cookie",
    ] {
        for attack in ATTACKS {
            let answer = product.ask(screensort_tests::Ask::get("/movies?limit=1").with(name, attack)).await;
            assert_eq!(answer.status, 200, "{name}: {attack}");
            let repeated =
                answer.headers.values().any(|value| value.to_str().is_ok_and(|v| v.contains(attack)));
            assert!(!repeated && !answer.text().contains(attack), "{name}: {attack}");
        }
    }
}

#[tokio::test]
async fn a_list_takes_one_to_five_values() {
    let product = shared().await;
    for parameter in listed().iter().filter(|parameter| parameter.is_list) {
        for value in ["18,28,35,80,99,36", "18,", ",18", "18,,28", "18%2C%2028", "18;28", "18,x"] {
            assert_refused(product, parameter, value).await;
        }
        assert_eq!(product.get(&parameter.call("18,28,35,80,99")).await.status, 200);
        assert_eq!(product.get(&parameter.call("18%2C18")).await.status, 200);
    }
}
