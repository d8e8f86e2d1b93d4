//! Users and groups like those that identity providers send, the same in every run.

use scim_provider::{EnterpriseUser, Extension, ResourceType, User};

const GIVEN: [&str; 12] =
    ["Barbara", "Jens", "Ada", "Grace", "Alan", "Edsger", "Margaret", "Dennis", "Radia", "Tim", "Frances", "Hedy"];
const FAMILY: [&str; 12] = [
    "Jensen", "Smith", "Lovelace", "Hopper", "Turing", "Dijkstra", "Hamilton", "Ritchie", "Perlman", "Lee", "Allen",
    "Lamarr",
];
const DEPARTMENTS: [&str; 6] = ["Engineering", "Sales", "Tour Operations", "Finance", "Legal", "Support"];

/// The resource type of [`user`].
pub(crate) fn users() -> ResourceType {
    User::resource_type().extension(EnterpriseUser::schema()).build().unwrap()
}

/// A user of about 2.5 KB with every common attribute, two groups and the enterprise extension.
pub(crate) fn user(number: usize) -> String {
    let mut random = Random(number as u64 ^ 0x5555);
    let (given, family) = (random.of(&GIVEN), random.of(&FAMILY));
    let department = random.of(&DEPARTMENTS);
    let (id, manager) = (id(number), id(number % 1000));
    let (tours, staff) = (self::id(number % 50 + 1_000_000), self::id(number % 7 + 2_000_000));
    let login = format!("{}.{}{number}", given.to_lowercase(), family.to_lowercase());
    let active = random.below(10) != 0;
    let (phone, mobile, day) = (random.below(10_000), random.below(10_000), random.below(28) + 1);
    let base = "https://example.com/v2";
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"id":"{id}","externalId":"ext-{number:08}","userName":"{login}@example.com","name":{{"formatted":"Ms. {given} J {family}, III","familyName":"{family}","givenName":"{given}","middleName":"Jane","honorificPrefix":"Ms.","honorificSuffix":"III"}},"displayName":"{given} {family}","nickName":"{given}","profileUrl":"https://login.example.com/{login}","emails":[{{"value":"{login}@example.com","type":"work","primary":true}},{{"value":"{given}{number}@home.example.org","type":"home"}}],"addresses":[{{"type":"work","streetAddress":"100 Universal City Plaza","locality":"Hollywood","region":"CA","postalCode":"91608","country":"US","formatted":"100 Universal City Plaza\nHollywood, CA 91608 USA","primary":true}},{{"type":"home","streetAddress":"456 Hollywood Blvd","locality":"Hollywood","region":"CA","postalCode":"91608","country":"US","formatted":"456 Hollywood Blvd\nHollywood, CA 91608 USA"}}],"phoneNumbers":[{{"value":"+1-555-555-{phone:04}","type":"work"}},{{"value":"+1-555-555-{mobile:04}","type":"mobile"}}],"ims":[{{"value":"someaimhandle{number}","type":"aim"}}],"photos":[{{"value":"https://photos.example.com/profilephoto/{id}/F","type":"photo"}},{{"value":"https://photos.example.com/profilephoto/{id}/T","type":"thumbnail"}}],"userType":"Employee","title":"Tour Guide","preferredLanguage":"en-US","locale":"en-US","timezone":"America/Los_Angeles","active":{active},"groups":[{{"value":"{tours}","$ref":"{base}/Groups/{tours}","display":"Tour Guides"}},{{"value":"{staff}","$ref":"{base}/Groups/{staff}","display":"Employees"}}],"x509Certificates":[],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"employeeNumber":"{number:06}","costCenter":"4130","organization":"Universal Studios","division":"Theme Park","department":"{department}","manager":{{"value":"{manager}","$ref":"../Users/{manager}","displayName":"John Smith"}}}},"meta":{{"resourceType":"User","created":"2010-01-23T04:56:22Z","lastModified":"2011-05-{day:02}T04:42:34Z","version":"W\/\"{phone:04}{number:012}\"","location":"{base}/Users/{id}"}}}}"#,
    )
}

/// The id of a resource.
pub(crate) fn id(number: usize) -> String {
    let mut random = Random((number as u64).wrapping_mul(0x0123_4567) ^ 0x00AB_CDEF);
    let (a, b) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

/// A sequence of numbers that looks random.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.below(words.len())]
    }
}
