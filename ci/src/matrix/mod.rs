//! `gupcheck matrix`: what each step of the protocol is for, computed.
//!
//! A *group* is a race under a profile and a memory model. It has a *control*, the race with all steps in place, and a *cell*
//! for each step, the race without it. Controls come first, because they know which steps the race's code asks about:
//! without any other step it is the same program, and its cell is told and not searched.
//!
//! | file | noun |
//! | --- | --- |
//! | `command` | the command: what is asked, done and told |
//! | `question` | what is asked: the groups and steps, and how a cell is searched |
//! | `record` | what is known of a cell, as JSON has it |
//! | `shard` | a part of the cells |
//! | `search` | the search of one cell |
//! | `board` | which cells are still to be searched, and who has begun which |
//! | `crew` | the threads that search, and how far they are |
//! | `build` | which build of the command this is |
//! | `cache` | searches that this build has done before |
//! | `merge` | the parts put together |
//! | `claim`, `judgement` | what a race says of a cell; where that is not so, and what the whole is worth |
//! | `rows` | the cells by step and profile |
//! | `table`, `markdown`, `page` | rows for a terminal, for documentation, for a browser |

mod board;
mod build;
mod cache;
mod claim;
mod command;
mod crew;
mod judgement;
mod markdown;
mod merge;
mod page;
mod question;
mod record;
mod rows;
mod search;
mod shard;
mod table;

pub(crate) use command::matrix;
pub(crate) use shard::Shard;
