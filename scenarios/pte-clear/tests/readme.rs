//! The README's example of a race is the code that `example.rs` tries.

/// The README's blocks of Rust, one after the other, without the list's indentation.
fn blocks(readme: &str) -> String {
    let mut inside = false;
    let mut code = String::new();
    for line in readme.lines() {
        match line.trim() {
            "```rust" => inside = true,
            "```" => inside = false,
            _ if inside => {
                code.push_str(line.strip_prefix("   ").unwrap_or(line));
                code.push('\n');
            }
            _ => {}
        }
    }
    code
}

fn without_empty_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_readme_shows_this_code() {
    let readme = blocks(include_str!("../../../README.md"));
    let here = include_str!("readme/pin_and_reuse.rs");
    assert_eq!(without_empty_lines(&readme), without_empty_lines(here));
}
