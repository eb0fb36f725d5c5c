//! Words of the data set, Korean and English, as they stand between the quotes of a JSON string.

/// Names of people.
pub(super) const NAMES: &[&str] = &[
    "김민서",
    "이서준",
    "박지우",
    "최하윤",
    "정도윤",
    "강서연",
    "조은우",
    "윤지호",
    "장수아",
    "임예준",
    "한소율",
    "오시우",
    "서유진",
    "남궁민재",
    "Grace O'Neil",
    "Daniel Park",
    "Zoë Müller",
    "Alex \\\"Ace\\\" Kim",
    "Ana García",
    "陳美玲",
];

/// Mailboxes.
pub(super) const MAILBOXES: &[&str] = &["minseo", "seojun", "jiwoo", "hayoon", "grace", "daniel.park", "zoe", "ana"];

/// Plans that are sold.
pub(super) const PLANS: &[&str] = &["free", "starter", "pro", "team", "엔터프라이즈"];

/// Platforms that posts go to.
pub(super) const PLATFORMS: &[&str] = &["instagram", "x", "threads", "youtube", "tiktok", "naver-blog"];

/// Brands of cards.
pub(super) const CARDS: &[&str] = &["국민카드", "신한카드", "현대카드", "Visa", "Mastercard"];

/// Labels on users and posts.
pub(super) const TAGS: &[&str] = &["후킹문구", "릴스", "마케팅", "launch", "beta", "오늘의꿀팁", "growth", "🔥hot"];

/// Titles of posts.
pub(super) const TITLES: &[&str] = &[
    "첫 3초에 시선을 잡는 법 🎯",
    "How we doubled our reach in a week",
    "구독자 1만 명까지의 기록",
    "\\\"이건 몰랐죠?\\\" 시리즈 5편",
    "Five hooks that still work in 2026",
    "C:\\\\캡션\\\\초안.txt 정리하기",
];

/// Pieces of prose, each ending where another may begin. None is longer than [`CLOSING`].
pub(super) const PHRASES: &[&str] = &[
    "안녕하세요, 훅랩스 팀입니다. ",
    "오늘은 조회수를 올리는 문장을 나눕니다.\\n",
    "The first line decides whether anyone reads on. ",
    "사진보다 첫 문장이 먼저입니다 📸 ",
    "Ask a question, then make them wait. ",
    "\\\"왜 아무도 안 볼까?\\\" 라고 묻지 마세요. ",
    "Numbers beat adjectives: 36% more saves.\\n",
    "이번 주 반응이 가장 좋았던 게시물입니다 👏 ",
    "Tab\\tseparated notes, as they came in. ",
    "경로는 D:\\\\media\\\\원본 폴더에 있습니다. ",
    "We tried it on three accounts for a month. ",
    "다음 글에서 이어집니다 ✨ ",
    "Ends with <b>bold</b> & a link: https://hooklabs.io/a?b=1 ",
    "저장해 두고 천천히 읽어 보세요.\\n",
    "control\\u001fcharacter from an old import ",
    "가족 👩‍👩‍👧‍👦 계정과 국기 🇰🇷 도 그대로 남아야 합니다. ",
];

/// What fills the last bytes of a line: plain ASCII, so that it can be cut anywhere.
pub(super) const CLOSING: &str =
    "and that is all for now; see you next week, same place, with more hooks to try and more numbers to share";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_stands_in_json_as_serde_json_would_spell_it() {
        for list in [NAMES, MAILBOXES, PLANS, PLATFORMS, CARDS, TAGS, TITLES, PHRASES, &[CLOSING]] {
            for text in list {
                let quoted = format!("\"{text}\"");
                let read: String = serde_json::from_str(&quoted).unwrap();
                assert_eq!(serde_json::to_string(&read).unwrap(), quoted);
            }
        }
    }

    #[test]
    fn the_closing_is_plain_and_longer_than_any_phrase() {
        assert!(CLOSING.is_ascii());
        assert!(PHRASES.iter().all(|phrase| phrase.len() <= CLOSING.len()));
    }
}
