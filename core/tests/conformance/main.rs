//! The model against the kernel, function by function, on one CPU at a time.
//!
//! Nothing races here: what these tests pin down is what each function does, returns and accounts for when
//! it is alone, and which barriers it issues while it does it. The engine under them ([`common`]) is
//! sequential, and panics where a CPU would wait for itself.

mod allocator;
mod arguments;
mod books;
mod broken;
mod callers;
mod collapse;
mod common;
mod cow_steps;
mod device;
mod fallback;
mod family;
mod faults;
mod file_gup;
mod file_steps;
mod files;
mod fork;
mod fork_steps;
mod gate;
mod gates;
mod given_way;
mod giving_back;
mod halves;
mod hugepd;
mod hugetlb;
mod hugetlb_faults;
mod hugetlb_zaps;
mod ksm;
mod migration;
mod moved;
mod mutators;
mod oracles;
mod order_of_undoing;
mod ordering;
mod owners;
mod partial_steps;
mod pending_steps;
mod populate;
mod promise;
mod protected;
mod slow_steps;
mod stays;
mod step_ops;
mod step_scenes;
mod steps;
mod steps_of_reclaim;
mod swap;
mod table;
mod thp;
mod thp_steps;
mod told;
mod torn_down;
mod truncation;
mod uffd_move;
mod unwelcome;
mod walk;
mod walker_steps;
