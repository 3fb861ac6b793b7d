//! `import-operators`: what it loads, what it says, and what it refuses.

use std::path::Path;

use crate::product::{Served, code, complained, run, said};

const FILE: &str = r#"[
 {"id": "001", "description": "Avanti West Coast", "homepage": "www.avantiwestcoast.co.uk", "phone": null,
  "email": null, "default_language": "en", "modes": ["010"]},
 {"id": "011", "description": "Greater Anglia", "homepage": "www.greateranglia.co.uk", "phone": null,
  "email": "contactcentre@greateranglia.co.uk", "default_language": "en", "modes": ["010", "007"]}
]"#;

fn import(data: &Path, file: &Path) -> std::process::Output {
    run(data, &["import-operators", file.to_str().unwrap()])
}

#[test]
fn a_directory_is_loaded_once_however_often_it_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("ot.json"));
    std::fs::write(&file, FILE).unwrap();
    let loads = |text: &str| {
        let done = import(&data, &file);
        assert_eq!((code(&done), said(&done).trim()), (0, text), "{}", complained(&done));
    };
    loads("2 operators: 2 added, 0 changed, 0 as they were.");
    loads("2 operators: 0 added, 0 changed, 2 as they were.");
    let more = FILE
        .replace("Greater Anglia", "Greater Anglia Trains")
        .replace("\n]", ",\n {\"id\": \"020\", \"description\": \"Ferry\", \"modes\": [\"012\"]}\n]");
    std::fs::write(&file, more).unwrap();
    loads("3 operators: 1 added, 1 changed, 1 as they were.");
    // What it changed is in the trail, which holds.
    let verified = run(&data, &["audit", "verify", "--from", "table"]);
    assert_eq!(code(&verified), 0, "{}", complained(&verified));
}

#[test]
fn a_file_that_is_none_is_refused_in_words_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("ot.json"));
    let unsound = FILE.replace("[\"010\", \"007\"]", "[\"099\"]").replace("www.avanti", "javascript:");
    for (text, why) in [
        ("", "the file is empty"),
        ("{\"operators\": [", "not JSON: EOF while parsing"),
        ("id;name", "not JSON: expected value at line 1 column 1"),
        ("{\"films\": []}", "not an Open Transport operator directory"),
        ("[]", "its list of operators is empty"),
        (r#"[{"id": "001", "short-desc": "on foot"}]"#, "the table of modes, which is built in"),
        (r#"[{"provider_id": 8}]"#, "which `sync` reads by itself"),
        (&unsound, "operator 1 of the file: its homepage is no address"),
        (&unsound, "operator 2 of the file: it has a mode that is not 001 to 016"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = import(&data, &file);
        let complaint = complained(&refused);
        assert_eq!(code(&refused), 1, "{text}: {complaint}");
        assert!(complaint.contains(why) && complaint.contains("ot.json"), "{text}: {complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
    }
    // A hundred megabytes are not read to the end.
    std::fs::File::create(&file).unwrap().set_len(100 << 20).unwrap();
    assert!(complained(&import(&data, &file)).contains("larger than 16 MiB"));
    for nowhere in [folder.path().join("missing.json"), folder.path().to_owned()] {
        let refused = import(&data, &nowhere);
        assert_eq!(code(&refused), 1);
        assert!(complained(&refused).contains(nowhere.to_str().unwrap()), "{}", complained(&refused));
    }
    assert!(!data.exists(), "nothing was begun");
    let help = run(&data, &["import-operators", "--help"]);
    assert_eq!(code(&help), 0);
    for word in ["Open Transport", "FILE", "modes (001 to 016)", "--data", "--memory"] {
        assert!(said(&help).contains(word), "{word}: {}", said(&help));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_product_runs_it_says_who_holds_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("ot.json"));
    std::fs::write(&file, FILE).unwrap();
    let served = Served::start(&data);
    let refused = import(&data, &file);
    assert_eq!(code(&refused), 2, "{}", complained(&refused));
    assert!(complained(&refused).contains(&served.url[..21]), "{}", complained(&refused));
    served.stop();
    assert_eq!(code(&import(&data, &file)), 0);
}
