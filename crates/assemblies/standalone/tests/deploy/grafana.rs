//! The dashboard can be imported: its panels have queries, and do not lie on each other.

use serde_json::Value;

use crate::read;

#[test]
fn every_panel_has_a_title_queries_and_a_place_of_its_own() {
    let dashboard: Value =
        serde_json::from_str(&read("deploy/grafana/ringkeep.json")).expect("JSON");
    assert!(dashboard["uid"].is_string() && dashboard["schemaVersion"].is_u64());
    let panels = dashboard["panels"].as_array().expect("panels");
    assert!(panels.len() > 10);
    let mut places: Vec<(u64, u64, u64, u64)> = Vec::new();
    let mut ids = Vec::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        let id = panel["id"].as_u64().expect("an id");
        assert!(!ids.contains(&id), "{title}: id {id} is there twice");
        ids.push(id);
        let side = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        let place = (side("x"), side("y"), side("w"), side("h"));
        assert!(place.0 + place.2 <= 24, "{title} is too wide");
        for other in &places {
            let apart = place.0 >= other.0 + other.2
                || other.0 >= place.0 + place.2
                || place.1 >= other.1 + other.3
                || other.1 >= place.1 + place.3;
            assert!(apart, "{title} lies on another panel");
        }
        places.push(place);
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().expect("queries");
        assert!(!targets.is_empty(), "{title}");
        for target in targets {
            let query = target["expr"].as_str().expect("a query");
            assert!(
                query.contains("ringkeep_") || query.contains("up{"),
                "{title}: {query}"
            );
        }
    }
}
