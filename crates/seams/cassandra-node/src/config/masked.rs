//! Commands as they are shown: with a mask in place of what follows an option for a password.

use serde::{Serialize, Serializer};

const MASK: &str = "***";
/// nodetool's options for a password, and what other programs call theirs.
const OPTIONS: &[&str] = &["-pw", "--pw", "-password", "--password"];

/// Serializes a command without its passwords.
pub(super) fn serialize<S: Serializer>(command: &[String], to: S) -> Result<S::Ok, S::Error> {
    masked(command).serialize(to)
}

/// The words of a command that follow an option for a password, wherever they are: in an argument of their own, after
/// `=`, or in the middle of a line for a shell.
pub(crate) fn passwords(command: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    each_word(command, |word| found.push(word.to_owned()));
    found
}

/// The command with a mask in place of each password.
pub(crate) fn masked(command: &[String]) -> Vec<String> {
    each_word(command, |_| ())
}

fn each_word(command: &[String], mut found: impl FnMut(&str)) -> Vec<String> {
    let mut shown = Vec::new();
    let mut follows = false;
    for argument in command {
        // An argument after the option is the password as a whole, blanks and all.
        if std::mem::take(&mut follows) {
            found(argument);
            shown.push(MASK.to_owned());
            continue;
        }
        let mut words = Vec::new();
        for word in argument.split(' ') {
            if std::mem::take(&mut follows) {
                found(word);
                words.push(MASK.to_owned());
                continue;
            }
            follows = OPTIONS.contains(&word);
            match word.split_once('=') {
                Some((option, password)) if OPTIONS.contains(&option) => {
                    found(password);
                    words.push(format!("{option}={MASK}"));
                }
                _ => words.push(word.to_owned()),
            }
        }
        shown.push(words.join(" "));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_follows_an_option_for_a_password_is_masked() {
        for (command, expected, secrets) in [
            (&["nodetool"][..], &["nodetool"][..], &[][..]),
            (
                &["nodetool", "-u", "me", "-pw", "hush", "-p", "7199"],
                &["nodetool", "-u", "me", "-pw", "***", "-p", "7199"],
                &["hush"],
            ),
            (
                &["nodetool", "--password=hush=hush"],
                &["nodetool", "--password=***"],
                &["hush=hush"],
            ),
            (
                &["nodetool", "-pw", "two words"],
                &["nodetool", "-pw", "***"],
                &["two words"],
            ),
            (
                &["sh", "-c", "nodetool -pw hush \"$@\"", "nodetool"],
                &["sh", "-c", "nodetool -pw *** \"$@\"", "nodetool"],
                &["hush"],
            ),
            (
                &["nodetool", "-pwf", "/file"],
                &["nodetool", "-pwf", "/file"],
                &[],
            ),
            (&["nodetool", "-pw"], &["nodetool", "-pw"], &[]),
        ] {
            let command: Vec<String> = command.iter().map(ToString::to_string).collect();
            assert_eq!(masked(&command), expected);
            assert_eq!(passwords(&command), secrets);
        }
    }
}
