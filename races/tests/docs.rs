//! The code in the docs is the code that the tests run.

/// The blocks of Rust in a page.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```rust" => {
                inside = true;
                blocks.push(String::new());
            }
            "```" => inside = false,
            line if inside => {
                let block: &mut String = blocks.last_mut().expect("begun");
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn the_page_about_mutators_shows_the_races_that_are_tried() {
    let page = include_str!("../../docs/mutators.md");
    let tried = [
        include_str!("mutators/fork.rs"),
        include_str!("mutators/lazyfree.rs"),
    ];
    assert_eq!(blocks(page), tried);
}

/// A mutator of one's own is a page of code, and no more: lines that say something, and are no comment.
#[test]
fn each_is_within_sixty_lines_of_code() {
    for race in [
        include_str!("mutators/fork.rs"),
        include_str!("mutators/lazyfree.rs"),
    ] {
        let is_code = |line: &&str| {
            let line = line.trim();
            line.chars().any(char::is_alphanumeric) && !line.starts_with("//")
        };
        let lines = race.lines().filter(is_code).count();
        assert!(lines <= 60, "{lines}");
    }
}
