//! The page's parts on traces made by hand.

use serde_json::Value;

use super::super::tests::LANES;
use super::super::tests::traces::{
    Machine, buffered_clear, detached_table, finding, program, stale_recheck,
};
use super::escape::escaped;
use super::*;
use crate::Finding;
use gupcheck_program::Counterexample;

fn drawn<R>(make: fn(&Machine) -> Counterexample, draw: impl Fn(&Finding<'_>) -> R) -> R {
    let machine = Machine::new();
    let counterexample = make(&machine);
    let program = program(machine.layout, LANES);
    draw(&finding(&counterexample, &program))
}

fn document(make: fn(&Machine) -> Counterexample) -> Value {
    drawn(make, |finding| {
        serde_json::to_value(Document::of(finding)).expect("plain data")
    })
}

#[test]
fn the_document_has_every_step_with_its_functions_and_its_write() {
    let document = document(detached_table);
    assert_eq!(document["schema"], SCHEMA);
    let steps = document["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), 12);
    assert_eq!(steps[2]["functions"].as_array().map(Vec::len), Some(4));
    assert_eq!(steps[7]["text"], "add_unless folio3.refcount: 1 -> 2");
    assert_eq!(steps[7]["wrote"], "2");
    assert_eq!(document["cells"][2]["name"], "folio3.refcount");
    assert_eq!(steps[7]["cell"], 2);
    // The two events of the headline.
    assert_eq!(document["marks"], serde_json::json!([6, 7]));
    assert_eq!(document["lanes"][1]["returned"], "result=succeed");
}

#[test]
fn a_stale_read_says_what_it_missed() {
    let document = document(stale_recheck);
    let steps = document["steps"].as_array().expect("a list");
    let stale: Vec<_> = steps.iter().filter(|s| !s["missed"].is_null()).collect();
    assert_eq!(stale.len(), 1);
    let missed = stale[0]["missed"].as_u64().expect("a step") as usize;
    assert_eq!(steps[missed]["cell"], stale[0]["cell"]);
    assert!(!steps[missed]["wrote"].is_null());
}

#[test]
fn a_store_that_waits_changes_memory_when_it_leaves_the_store_buffer() {
    let document = document(buffered_clear);
    let steps = document["steps"].as_array().expect("a list");
    let (store, drain) = (&steps[0], &steps[4]);
    assert!(store["wrote"].is_null(), "{store}");
    assert_eq!(drain["drains"], 0);
    assert_eq!(drain["cell"], store["cell"]);
    assert_eq!(drain["wrote"], "none");
    assert_eq!(steps[3]["missed"], 0);
}

#[test]
fn the_page_is_one_file_that_loads_nothing() {
    let page = drawn(detached_table, html);
    assert!(!page.contains("{{"), "a part is missing");
    assert!(page.contains("thp-collapse/detached-table under arm64 without pmd-recheck</title>"));
    for loads in ["src=", "href=", "@import", "url(", "fetch("] {
        assert!(!page.contains(loads), "{loads}");
    }
    let (_, data) = page
        .split_once("type=\"application/json\">")
        .expect("the data");
    let (data, _) = data.split_once("</script>").expect("its end");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!(data, document(detached_table));
}

#[test]
fn every_step_has_a_row_in_detail_and_no_fold_hides_a_mark() {
    let detailed = drawn(detached_table, |finding| svg(finding, true));
    for step in 0..12 {
        assert!(detailed.contains(&format!("id=\"s{step}\"")), "step {step}");
    }
    let folded = drawn(detached_table, |finding| svg(finding, false));
    assert!(folded.len() < detailed.len());
    assert!(folded.contains(">(1)<") && folded.contains(">(2)<"));
    assert!(drawn(stale_recheck, |finding| svg(finding, true)).contains("class=\"rf missed\""));
}

#[test]
fn names_cannot_break_out_of_the_drawing() {
    assert_eq!(escaped("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
    let drawing = drawn(detached_table, |finding| svg(finding, true));
    assert!(drawing.contains("mm0.pmd[0]: table2 -&gt; none"));
}

#[test]
fn chrome_gets_slices_that_close() {
    let trace: Value =
        serde_json::from_str(&drawn(detached_table, chrome)).expect("one JSON object");
    let events = trace["traceEvents"].as_array().expect("a list");
    for lane in 0..LANES.len() {
        let of = |phase: &str| {
            let is_of = |e: &&Value| e["ph"] == phase && e["tid"] == lane;
            events.iter().filter(is_of).count()
        };
        assert_eq!(of("B"), of("E"), "lane {lane}");
        assert_eq!(of("M"), 1);
    }
    let operations = events.iter().filter(|e| e["ph"] == "X").count();
    assert_eq!(operations, 12);
    let ends = |phase: &str| events.iter().filter(|e| e["ph"] == phase).count();
    assert_eq!(ends("s"), ends("f"));
}
