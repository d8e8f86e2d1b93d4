use scim_provider::*; use scim_provider::schema::core;
fn main(){ let ty=ResourceType::builder("User","/Users",core::user()).build().unwrap();
 let d=std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
 println!("parse {:?}", Resource::parse(&ty,&d).map(|r|String::from_utf8_lossy(r.as_json()).into_owned()));
 println!("stored {:?}", Resource::from_stored(&ty,&d[..]).map(|r|String::from_utf8_lossy(r.as_json()).into_owned()));}
