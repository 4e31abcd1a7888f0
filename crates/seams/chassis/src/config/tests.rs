use std::io::Write;

use secret::Secret;
use serde::Deserialize;
use tempfile::NamedTempFile;

use super::*;
use crate::server::{self, ServerConfig};
use crate::telemetry::TelemetryConfig;

/// Settings with everything that the services' have.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Example {
    #[serde(deserialize_with = "server::on_port::<7499, _>")]
    server: ServerConfig,
    telemetry: TelemetryConfig,
    store: Store,
    agent: Agent,
    others: Vec<Agent>,
}

impl Default for Example {
    fn default() -> Self {
        Self {
            server: ServerConfig::on_port(7499),
            telemetry: TelemetryConfig::default(),
            store: Store::Folder {
                path: "/var".into(),
            },
            agent: Agent::default(),
            others: Vec::new(),
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Store {
    Folder {
        path: PathBuf,
    },
    S3 {
        bucket: String,
        access_key: Option<Secret>,
        part_bytes: Option<u64>,
        path_style: Option<bool>,
    },
}

#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Agent {
    name: String,
    hosts: Vec<String>,
    uploads_max: u16,
    rate: f64,
    password: Option<Secret>,
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Loads a file's text with variables written as `NAME=value`.
fn loaded(text: &str, env: &[&str]) -> Result<Example, String> {
    let file = file(text);
    let env = env
        .iter()
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    load(Some(file.path()), env).map_err(|error| {
        api::error::chain(&error).replace(&file.path().display().to_string(), "FILE")
    })
}

#[track_caller]
fn refused(text: &str, env: &[&str], expected: &str) {
    assert_eq!(loaded(text, env).expect_err("loads"), expected);
}

#[test]
fn nothing_given_means_defaults() {
    assert_eq!(load::<Example>(None, []).unwrap(), Example::default());
}

#[test]
fn a_section_in_part_keeps_the_service_s_port() {
    let example = loaded("[server]\nshutdown_grace_seconds = 5", &[]).unwrap();
    assert_eq!(example.server.listen, "127.0.0.1:7499".parse().unwrap());
    assert_eq!(example.server.shutdown_grace_seconds, 5);
}

#[test]
fn the_environment_is_over_the_file() {
    let text = "[server]\nlisten = '127.0.0.1:1'\n[agent]\nname = 'file'\nuploads_max = 1";
    let env = [
        "RINGKEEP_SERVER__LISTEN=127.0.0.1:2",
        "ringkeep_agent__Name=env",
        "RINGKEEP_AGENT__UPLOADS_MAX=2",
        "RINGKEEP_AGENT__RATE=2",
        r#"RINGKEEP_AGENT__HOSTS=["a", "b"]"#,
        "RINGKEEP_SERVER__TLS__CERTIFICATE=/c.pem",
        "RINGKEEP_SERVER__TLS__KEY=/k.pem",
    ];
    let example = loaded(text, &env).unwrap();
    assert_eq!(example.server.listen.port(), 2);
    assert_eq!(example.server.tls.unwrap().key, PathBuf::from("/k.pem"));
    assert_eq!(
        example.agent,
        Agent {
            name: "env".into(),
            hosts: vec!["a".into(), "b".into()],
            uploads_max: 2,
            rate: 2.0,
            password: None,
        }
    );
}

#[test]
fn an_entry_of_a_list_goes_by_its_place() {
    let text = "[[others]]\nname = 'a'\n[[others]]\nname = 'b'";
    let example = loaded(text, &["RINGKEEP_OTHERS__1__UPLOADS_MAX=7"]).unwrap();
    assert_eq!(example.others[1].name, "b");
    assert_eq!(example.others[1].uploads_max, 7);
    refused(
        text,
        &["RINGKEEP_OTHERS__1__UPLOAD_MAX=7"],
        "unknown key `others.1.upload_max` from the environment (RINGKEEP_OTHERS__1__UPLOAD_MAX); \
         did you mean `RINGKEEP_OTHERS__1__UPLOADS_MAX`?",
    );
}

#[test]
fn variables_that_are_no_settings_are_left_alone() {
    let env = [
        "RINGKEEP_CONFIG=/x",
        "RINGKEEP_PORT_7401_TCP=tcp://10.0.0.1:7401",
        "PATH=/bin",
        "OTHER__NAME=1",
    ];
    assert_eq!(loaded("", &env).unwrap(), Example::default());
}

#[test]
fn text_stays_text_where_text_is_wanted() {
    for (value, expected) in [
        ("5", "5"),
        ("true", "true"),
        ("2026-01-02", "2026-01-02"),
        ("a = b", "a = b"),
        ("\"quoted\"", "quoted"),
        ("", ""),
    ] {
        let variable = format!("RINGKEEP_AGENT__NAME={value}");
        assert_eq!(loaded("", &[&variable]).unwrap().agent.name, expected);
    }
}

#[test]
fn inside_a_tagged_enum_each_variable_gets_its_type() {
    let env = [
        "RINGKEEP_STORE__KIND=s3",
        "RINGKEEP_STORE__BUCKET=12345",
        "RINGKEEP_STORE__ACCESS_KEY=12345",
        "RINGKEEP_STORE__PART_BYTES=12345",
        "RINGKEEP_STORE__PATH_STYLE=true",
    ];
    assert_eq!(
        loaded("", &env).unwrap().store,
        Store::S3 {
            bucket: "12345".into(),
            access_key: Some(Secret::new("12345")),
            part_bytes: Some(12345),
            path_style: Some(true),
        }
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    refused(
        "\n[server]\nlisen = '127.0.0.1:1'",
        &[],
        "unknown key `server.lisen` in FILE, line 3; did you mean `listen`?",
    );
    refused(
        "[servr]\n",
        &[],
        "unknown key `servr` in FILE, line 1; did you mean `server`?",
    );
    refused(
        "[server.tls]\ncertificate = 'c'\nkey = 'k'\nclient-ca = 'x'",
        &[],
        "unknown key `server.tls.client-ca` in FILE, line 4; did you mean `client_ca`?",
    );
    refused(
        "[store]\nkind = 's3'\nbukcet = 'b'",
        &[],
        "unknown key `store.bukcet` in FILE, line 3; did you mean `bucket`?",
    );
    refused(
        "[agent.password]\nflie = '/p'",
        &[],
        "unknown key `agent.password.flie` in FILE, line 2; did you mean `file`?",
    );
    refused(
        "[telemetry]\nxyzzy = 1",
        &[],
        "unknown key `telemetry.xyzzy` in FILE, line 2; known here: log, log_format, audit_file, otlp_endpoint",
    );
}

#[test]
fn an_unknown_variable_is_refused_by_its_name() {
    refused(
        "",
        &["RINGKEEP_SERVER__LISEN=127.0.0.1:1"],
        "unknown key `server.lisen` from the environment (RINGKEEP_SERVER__LISEN); \
         did you mean `RINGKEEP_SERVER__LISTEN`?",
    );
}

#[test]
fn a_wrong_type_is_refused_with_its_key_and_place() {
    refused(
        "[agent]\n\nuploads_max = 'many'",
        &[],
        "`agent.uploads_max` in FILE, line 3: expected a whole number from 0 to 65535, found text",
    );
    refused(
        "[agent]\nuploads_max = 70000",
        &[],
        "`agent.uploads_max` in FILE, line 2: expected a whole number from 0 to 65535, found 70000",
    );
    refused(
        "[agent]\nhosts = ['a',\n 5]",
        &[],
        "`agent.hosts.1` in FILE, line 3: expected text in quotes, found a whole number",
    );
    refused(
        "",
        &["RINGKEEP_AGENT__UPLOADS_MAX=many"],
        "`agent.uploads_max` from the environment (RINGKEEP_AGENT__UPLOADS_MAX): \
         expected a whole number from 0 to 65535, found text",
    );
    refused(
        "[server]\nlisten = 'nowhere'",
        &[],
        "`server.listen` in FILE, line 2: invalid socket address syntax",
    );
    refused(
        "[telemetry]\nlog_format = 'jsn'",
        &[],
        "`telemetry.log_format` in FILE, line 2: `jsn` is not known here; did you mean `json`?",
    );
    refused(
        "server = 5",
        &[],
        "`server` in FILE, line 1: expected a table, found a whole number",
    );
}

#[test]
fn a_missing_key_is_asked_for_in_both_places() {
    refused(
        "[store]\nkind = 's3'",
        &[],
        "`store.bucket` is missing; set it in FILE or as RINGKEEP_STORE__BUCKET",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = load::<Example>(Some(Path::new("/no/such.toml")), []).unwrap_err();
    assert_eq!(
        api::error::chain(&missing),
        "could not read the settings in /no/such.toml: No such file or directory (os error 2)"
    );
}

#[test]
fn broken_toml_is_refused_without_showing_the_line() {
    let error = loaded("[agent]\npassword = \"hunter2", &[]).unwrap_err();
    assert!(error.starts_with("FILE, line 2 is not TOML: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn secrets_are_never_shown() {
    let text =
        "[agent]\npassword = 'hunter2'\n[store]\nkind = 's3'\nbucket = 'b'\naccess_key = 'hunter2'";
    let example = loaded(text, &[]).unwrap();
    assert_eq!(example.agent.password.as_ref().unwrap().expose(), "hunter2");
    for shown in [
        render(&example),
        format!("{example:?}"),
        example.agent.password.unwrap().to_string(),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
    // Wrong in every way that a secret can be wrong.
    for text in [
        "[agent]\npassword = 424242",
        "[agent]\nuploads_max = '424242x'",
        "[agent]\npassword = [424242]",
        "[store]\nkind = 's3'\nbucket = 'b'\naccess_key = 424242",
        "[agent]\npasword = '424242'",
    ] {
        let error = loaded(text, &[]).unwrap_err();
        assert!(!error.contains("424242"), "{error}");
    }
}

#[test]
fn a_secret_may_come_from_a_file() {
    let secret = file("hunter2\n");
    let path = secret.path().display();
    for (text, env) in [
        (format!("[agent]\npassword = {{ file = '{path}' }}"), vec![]),
        (
            "[agent]\npassword = 'other'".to_owned(),
            vec![format!("RINGKEEP_AGENT__PASSWORD__FILE={path}")],
        ),
    ] {
        let env: Vec<&str> = env.iter().map(String::as_str).collect();
        let example = loaded(&text, &env).unwrap();
        assert_eq!(example.agent.password.unwrap().expose(), "hunter2");
    }
    refused(
        "[agent]\npassword = { file = '/no/such' }",
        &[],
        "`agent.password` in FILE, line 2: could not read the secret's file `/no/such`: \
         No such file or directory (os error 2)",
    );
}

#[test]
fn what_is_rendered_loads_again() {
    let text = "[server]\nlisten = '0.0.0.0:1'\n[agent]\nname = 'n'\nhosts = ['a']\nrate = 0.5";
    let example = loaded(text, &[]).unwrap();
    assert_eq!(loaded(&render(&example), &[]).unwrap(), example);
}

#[test]
fn logins_in_urls_are_not_shown() {
    for (text, expected) in [
        ("e = \"http://h:1\"\n", "e = \"http://h:1\"\n"),
        (
            "e = \"http://me:hush@h:1/a@b\"\n",
            "e = \"http://***@h:1/a@b\"\n",
        ),
        (
            "e = 'https://hu@sh@h'\nf = 'x@y'",
            "e = 'https://***@h'\nf = 'x@y'",
        ),
        (
            "['https://a@h', 'https://b@i']",
            "['https://***@h', 'https://***@i']",
        ),
    ] {
        assert_eq!(super::without_logins(text), expected);
    }
}
