//! The bounds that keep every request cheap: one struct, on by default.

/// Bounds on what one request may hold or cost. All of them are checked before the work that they bound.
///
/// The defaults suit every documented identity provider. `ServiceProviderConfig` publishes the ones that clients need
/// (`filter.maxResults`, `bulk.maxOperations`, `bulk.maxPayloadSize`), from these values and from nowhere else.
///
/// ```
/// # use scim_provider::Limits;
/// let mut limits = Limits::default();
/// limits.page_max = 500;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How much work a request may cause in all, in units of about a nanosecond of one core; see [`Budget`](crate::Budget).
    /// The operations of a bulk request share it. Default 25,000,000; a query beyond it is refused with `tooMany`, anything
    /// else with 413.
    pub work: u64,
    /// Length of a resource in bytes, as canonical JSON without `id`, `meta` and references such as `members`. Default 1 MiB; a
    /// POST, PUT or PATCH that would make a longer one is 413. One that is longer already can be read, deleted, and made
    /// shorter; what the host makes itself is not bound.
    pub resource_bytes: usize,
    /// Length of a filter in bytes, in a URL, a search request or a PATCH path. Default 8 KiB.
    pub filter_bytes: usize,
    /// How deep parentheses, `not` and `[ ]` may nest in a filter. Default 32.
    pub filter_depth: usize,
    /// How many comparisons a filter may have. Default 256.
    pub filter_terms: usize,
    /// Length of a PATCH path in bytes. Default 1 KiB.
    pub path_bytes: usize,
    /// Length of an attribute name in bytes. Default 128.
    pub name_bytes: usize,
    /// Length of a request body in bytes. Default 1 MiB; more is 413.
    pub body_bytes: usize,
    /// How deep a JSON body may nest. Default 64.
    pub json_depth: usize,
    /// How many values (objects, arrays, scalars) a JSON body may have. Default 100,000.
    pub json_nodes: usize,
    /// Length of a string value in bytes. Default 64 KiB.
    pub string_bytes: usize,
    /// Length of a value that has to be unique, such as `userName`, in bytes. Default 512.
    pub unique_bytes: usize,
    /// Length of a password in bytes. Default 1 KiB.
    pub password_bytes: usize,
    /// How many operations a PATCH may have. Default 1,000.
    pub patch_operations: usize,
    /// How many values a multi-valued attribute may have, other than references to members. Default 100.
    pub values: usize,
    /// How many references, such as `members`, one request may name. Default 10,000.
    pub references: usize,
    /// How much work one PATCH may be, in the units of `work`, which bounds it too: a PATCH is computed without a pause.
    /// Default 10,000,000, about 10 ms; beyond it is 413.
    pub patch_work: u64,
    /// How many operations a bulk request may have. Default 1,000; more is 413. Where that many writes would be more than
    /// `work`, by what the stores say that one costs ([`Capabilities::write_work`](crate::Capabilities::write_work)), it is
    /// as many as fit.
    pub bulk_operations: usize,
    /// Length of a bulk request in bytes. Default 1 MiB; more is 413.
    pub bulk_bytes: usize,
    /// How many resources a page has when the client does not say. Default 100.
    pub page_default: usize,
    /// How many resources a page has at the most. Default 200; a larger `count` is lowered to it.
    pub page_max: usize,
    /// How many resources the service looks at to answer one query that the store cannot filter, sort or count itself.
    /// Default 10,000, because a database takes more than ten microseconds to read each; beyond it the query is refused with
    /// `tooMany`. What the service compares and sorts of them is bounded by [`work`](Self::work), and a store that does all of it
    /// by itself is not bounded by this. A sorted search across types fetches all that lies before the end of the page: all
    /// types together no more than this.
    pub scan: usize,
    /// How many bytes of resources a query holds, references such as members included. Default 8 MiB. A page that would be
    /// longer ends early: it has fewer resources than `count`, and the client goes on behind them (RFC 7644 §3.4.2.4). Two
    /// resources are held whatever their length, or no page would get any further. A query that the store cannot filter or
    /// sort by itself is refused with `tooMany` beyond it. A search across types shares it among them. The answer is written
    /// from what is held, so that a request holds twice as much.
    pub query_bytes: usize,
    /// How many references, such as `members`, one resource of a list has at the most. Default 50,000; a list on which one with
    /// more would be shown is refused with `tooMany`: it can be asked for without them, and the resource by its id.
    pub listed_references: usize,
    /// How many bytes of an answer are held at a time. Default 32 MiB; what would be longer, a group with very many members as
    /// a rule, is refused with `tooMany`, unless its references are sent as they are read; see
    /// [`Service::stream`](crate::Service::stream).
    pub answer_bytes: usize,
    /// How many names `attributes` or `excludedAttributes` may list. Default 64.
    pub projection_names: usize,
    /// Length of a resource id in bytes. Default 256.
    pub id_bytes: usize,
    /// How many tags `If-Match` or `If-None-Match` may list. Default 16.
    pub etags: usize,
    /// How often the service repeats its own read-modify-write when another writer was faster. Default 8; beyond it is 503, or,
    /// for a PUT that names no version and of a type of which nothing is kept, a write over whatever is there.
    pub retries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            work: 25_000_000,
            resource_bytes: 1 << 20,
            filter_bytes: 8 << 10,
            filter_depth: 32,
            filter_terms: 256,
            path_bytes: 1 << 10,
            name_bytes: 128,
            body_bytes: 1 << 20,
            json_depth: 64,
            json_nodes: 100_000,
            string_bytes: 64 << 10,
            unique_bytes: 512,
            password_bytes: 1 << 10,
            patch_operations: 1_000,
            values: 100,
            references: 10_000,
            patch_work: 10_000_000,
            bulk_operations: 1_000,
            bulk_bytes: 1 << 20,
            page_default: 100,
            page_max: 200,
            scan: 10_000,
            query_bytes: 8 << 20,
            listed_references: 50_000,
            answer_bytes: 32 << 20,
            projection_names: 64,
            id_bytes: 256,
            etags: 16,
            retries: 8,
        }
    }
}

impl Limits {
    /// How many bytes of a request's body a host reads before it calls the service: one more than the longest body that there
    /// may be, so that the service sees what is too long and answers with 413 and the limit that was exceeded (RFC 7644 §3.7.4).
    /// What is read beyond that may be thrown away.
    ///
    /// ```
    /// # use scim_provider::Limits;
    /// let mut limits = Limits::default();
    /// limits.bulk_bytes = 8 << 20;
    /// assert_eq!(limits.request_bytes(), (8 << 20) + 1);
    /// ```
    pub fn request_bytes(&self) -> usize {
        self.body_bytes.max(self.bulk_bytes).saturating_add(1)
    }

    /// No bound at all but the depths, which protect the stack: for trusted input such as an import of the host's own data.
    pub fn dangerous_unlimited() -> Self {
        let most = usize::MAX / 4;
        Self {
            work: u64::MAX,
            resource_bytes: most,
            filter_bytes: most,
            filter_terms: most,
            path_bytes: most,
            name_bytes: most,
            body_bytes: most,
            json_nodes: most,
            string_bytes: most,
            unique_bytes: most,
            password_bytes: most,
            patch_operations: most,
            values: most,
            references: most,
            patch_work: u64::MAX,
            bulk_operations: most,
            bulk_bytes: most,
            page_max: most,
            scan: most,
            query_bytes: most,
            listed_references: most,
            answer_bytes: most,
            projection_names: most,
            id_bytes: most,
            etags: most,
            ..Self::default()
        }
    }
}
