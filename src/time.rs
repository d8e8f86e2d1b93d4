//! Points in time as SCIM writes them: xsd:dateTime (RFC 7643 §2.3.5).

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};

/// Reads an xsd:dateTime as Internet clients write it.
///
/// Beyond the letter of the standard, `t` and `z` may be lower case. A missing offset means UTC, a leap second is the
/// first second of the next minute, `24:00:00` is the next midnight, and a fraction may have any number of digits, of
/// which nine count. Years have four digits, before and after conversion to UTC, since RFC 3339 writes no others.
pub(crate) fn parse_date_time(text: &str) -> Option<DateTime<Utc>> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    rest.expect(b"-")?;
    let month = rest.number(2)?;
    rest.expect(b"-")?;
    let day = rest.number(2)?;
    rest.expect(b"Tt")?;
    let hour = rest.number(2)?;
    rest.expect(b":")?;
    let minute = rest.number(2)?;
    rest.expect(b":")?;
    let second = rest.number(2)?;
    let nanos = rest.fraction()?;
    let offset = rest.offset_minutes()?;
    let end_of_day = hour == 24 && minute == 0 && second == 0 && nanos == 0;
    if !rest.0.is_empty() || minute > 59 || second > 60 || (hour > 23 && !end_of_day) {
        return None;
    }
    let since_midnight = TimeDelta::seconds(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
        + TimeDelta::nanoseconds(i64::from(nanos));
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?
        .and_hms_opt(0, 0, 0)?
        .checked_add_signed(since_midnight)?
        .checked_sub_signed(TimeDelta::minutes(offset))
        .map(|utc| utc.and_utc())
        .filter(|utc| (0..=9999).contains(&utc.year()))
}

/// Writes a point in time as RFC 3339 has it: in UTC with `Z`, and with milliseconds when there are any.
pub(crate) fn format_date_time(time: &DateTime<Utc>) -> String {
    let whole = time.timestamp_subsec_millis() == 0;
    time.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Millis }, true)
}

/// An optional point in time as a member of a JSON object, for `#[serde(with = …)]`.
pub(crate) mod optional {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::{DateTime, Utc, format_date_time, parse_date_time};

    pub(crate) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.serialize_str(&format_date_time(time)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        let Some(text) = Option::<Cow<'de, str>>::deserialize(deserializer)? else {
            return Ok(None);
        };
        match parse_date_time(&text) {
            Some(time) => Ok(Some(time)),
            None => Err(de::Error::custom(format_args!("`{}` is not a dateTime", crate::error::excerpt(&text)))),
        }
    }
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
    }

    /// One of the bytes.
    fn expect(&mut self, any_of: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        any_of.contains(first).then_some(*first)
    }

    /// The fraction of a second in nanoseconds; 0 when there is none.
    fn fraction(&mut self) -> Option<u32> {
        let Some(digits) = self.0.strip_prefix(b".") else {
            return Some(0);
        };
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = digits.split_at_checked(length)?;
        self.0 = rest;
        let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
        (length > 0).then(|| padded.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0')))
    }

    /// Minutes east of UTC; 0 when nothing is left. xsd:dateTime allows up to 14 hours.
    fn offset_minutes(&mut self) -> Option<i64> {
        if self.0.is_empty() {
            return Some(0);
        }
        let sign = match self.expect(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2)?;
        self.expect(b":")?;
        let minutes = self.number(2)?;
        let total = hours * 60 + minutes;
        (minutes <= 59 && total <= 14 * 60).then(|| sign * i64::from(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(text: &str) -> String {
        format_date_time(&parse_date_time(text).unwrap_or_else(|| panic!("{text} was refused")))
    }

    #[test]
    fn every_way_to_write_a_date_time_is_read() {
        for (text, expected) in [
            ("2008-01-23T04:56:22Z", "2008-01-23T04:56:22Z"),
            ("2008-01-23t04:56:22z", "2008-01-23T04:56:22Z"),
            ("2008-01-23T04:56:22", "2008-01-23T04:56:22Z"),
            ("2008-01-23T04:56:22+02:00", "2008-01-23T02:56:22Z"),
            ("2008-01-23T04:56:22-14:00", "2008-01-23T18:56:22Z"),
            ("2008-01-23T04:56:22.5Z", "2008-01-23T04:56:22.500Z"),
            ("2008-01-23T04:56:22.0004Z", "2008-01-23T04:56:22Z"),
            ("2008-01-23T04:56:22.1234567+00:00", "2008-01-23T04:56:22.123Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2008-12-31T24:00:00Z", "2009-01-01T00:00:00Z"),
            ("2008-02-29T00:00:00Z", "2008-02-29T00:00:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_fraction_may_be_long() {
        let text = format!("2008-01-23T04:56:22.{}Z", "9".repeat(300));
        assert_eq!(parse_date_time(&text).unwrap().timestamp_subsec_nanos(), 999_999_999);
    }

    #[test]
    fn what_is_no_date_time_is_refused() {
        for text in [
            "",
            "2008-01-23",
            "2008-01-23 04:56:22Z",
            "2008-01-23T04:56Z",
            "2008-01-23T04:56:22.Z",
            "2008-01-23T04:56:22ZZ",
            "2008-01-23T04:56:22+0200",
            "2008-01-23T04:56:22+14:01",
            "2008-01-23T04:56:22+02:60",
            "2007-02-29T00:00:00Z",
            "2008-13-01T00:00:00Z",
            "2008-01-00T00:00:00Z",
            "2008-01-23T24:00:01Z",
            "2008-01-23T04:60:00Z",
            "2008-01-23T04:56:61Z",
            "-2008-01-23T04:56:22Z",
            "12008-01-23T04:56:22Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
            "２008-01-23T04:56:22Z",
        ] {
            assert_eq!(parse_date_time(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_as_the_same_time() {
        for seconds in (-62_000_000_000_i64..250_000_000_000).step_by(12_345_678_901) {
            let time = DateTime::from_timestamp(seconds, 250_000_000).unwrap();
            assert_eq!(parse_date_time(&format_date_time(&time)), Some(time));
        }
    }
}
