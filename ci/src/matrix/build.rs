//! Which build of the command this is.
//!
//! What a search comes to is a function of the command's code, all of it: the model, the races, the engines. So a search that
//! was kept is believed by the very same build alone: the name of a build is a hash of every byte of the file that runs.
//! A comment that moves a line makes another build. That is more than need be; less would have to know which
//! code an answer depends on, and an answer that is believed of code that has changed is worse than none.

use std::fs::File;
use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

/// The file that this process runs, on Linux: even if another one has its name by now.
const RUNNING: &str = "/proc/self/exe";

/// The name of this build.
pub(crate) fn build() -> io::Result<String> {
    let mut file = File::open(RUNNING).or_else(|_| File::open(std::env::current_exe()?))?;
    let mut hash = Xxh3::new();
    let mut bytes = vec![0; 1 << 20];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(format!("{:032x}", hash.digest128())),
            read => hash.update(&bytes[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_a_name_and_keeps_it() {
        let name = build().unwrap();
        assert!(name.len() == 32 && name.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(build().unwrap(), name);
    }
}
