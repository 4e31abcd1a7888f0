//! A restore plan. Its text is the planner's: `plan` writes it.

use plan::render::Statements;
use views::PlanView;

use crate::screen::Paint;

/// The whole plan, for a reader who has yet to agree to it.
pub fn text(plan: &PlanView, statements: Statements, paint: &Paint) -> String {
    plan::render::restore_plan(plan, statements, &|tone, word| paint.tone(tone, word))
}

/// The verdict and the findings, for a reader who has agreed already.
pub fn brief(plan: &PlanView, paint: &Paint) -> String {
    plan::render::verdict(plan, &|tone, word| paint.tone(tone, word))
}
