//! The shared zero page.

use super::Page;
use crate::cpu::Cpu;

/// `is_zero_page`: the shared zero page, which is never counted.
pub fn is_zero_page(cpu: &Cpu<'_>, page: &Page) -> bool {
    cpu.machine().zero_page == Some(page.pfn)
}
