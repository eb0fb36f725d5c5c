//! Secret bytes. Keys are the one thing that must not come from a seed: whoever knows a seed knows all that is drawn from
//! it, so these come from the operating system, and no drill asks for them.

use std::io;

/// As many bytes as nobody can guess.
///
/// # Errors
/// When the operating system has none.
pub fn secret<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(e) => Err(io::Error::other(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_secrets_are_the_same() {
        assert_ne!(super::secret::<32>().unwrap(), super::secret::<32>().unwrap());
    }
}
