//! Parses a `$filter`: the forms in use, checked against the types of the filtered properties.
//!
//! An unknown form is refused, so a filter never silently matches everything.
//!
//! Not here: applying a filter (`filter`).

use serde_json::Value;

use super::filter::{Field, Filter, Order, Test};
use super::lexer::{Token, tokens};
use crate::graph::problem::Problem;
use crate::graph::schema::{EntityType, Kind, Property};

/// The maximum number of values in an `in`.
const MOST_VALUES: usize = 15;

impl Filter {
    pub(crate) fn parse(text: &str, entity: &'static EntityType) -> Result<Self, Problem> {
        let tokens = tokens(text).map_err(|what| invalid(&what))?;
        let mut parser = Parser { tokens: &tokens, entity };
        let filter = parser.any_of()?;
        match parser.tokens {
            [] => Ok(filter),
            [next, ..] => Err(invalid(&format!("Syntax error at '{next}'."))),
        }
    }
}

fn invalid(what: &str) -> Problem {
    Problem::bad_query(format!("Invalid filter clause: {what}"))
}

/// Reads tokens from the front. Each function removes the tokens that it has read.
struct Parser<'t> {
    tokens: &'t [Token],
    entity: &'static EntityType,
}

impl Parser<'_> {
    fn any_of(&mut self) -> Result<Filter, Problem> {
        let mut filter = self.all_of()?;
        while self.take_word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all_of()?));
        }
        Ok(filter)
    }

    fn all_of(&mut self) -> Result<Filter, Problem> {
        let mut filter = self.one()?;
        while self.take_word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, Problem> {
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        if self.take(&Token::Open) {
            let inner = self.any_of()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        let word = self.word()?;
        match word.as_str() {
            "startswith" | "startsWith" => self.function(Test::StartsWith),
            "endswith" | "endsWith" => self.function(Test::EndsWith),
            _ => match word.strip_suffix("/any") {
                Some(list) => self.lambda(list),
                None => self.comparison(&word),
            },
        }
    }

    /// Parses the rest of `startswith(displayName,'x')`.
    fn function(&mut self, test: fn(String) -> Test) -> Result<Filter, Problem> {
        self.expect(&Token::Open)?;
        let name = self.word()?;
        let field = self.field(&name, Kind::Text)?;
        self.expect(&Token::Comma)?;
        let text = self.text()?;
        self.expect(&Token::Close)?;
        Ok(Filter::Test(field, test(text.to_lowercase())))
    }

    /// Parses the rest of `groupTypes/any(t:t eq 'x')` or `…any(t:startswith(t,'x'))`.
    fn lambda(&mut self, list: &str) -> Result<Filter, Problem> {
        let field = self.field(list, Kind::Texts)?;
        self.expect(&Token::Open)?;
        let variable = self.word()?;
        self.expect(&Token::Colon)?;
        let test = if self.take_word("startswith") || self.take_word("startsWith") {
            self.expect(&Token::Open)?;
            self.expect(&Token::Word(variable))?;
            self.expect(&Token::Comma)?;
            let test = Test::AnyStartsWith(self.text()?.to_lowercase());
            self.expect(&Token::Close)?;
            test
        } else {
            self.expect(&Token::Word(variable))?;
            self.expect(&Token::Word("eq".to_owned()))?;
            Test::AnyIs(self.text()?.to_lowercase())
        };
        self.expect(&Token::Close)?;
        Ok(Filter::Test(field, test))
    }

    fn comparison(&mut self, name: &str) -> Result<Filter, Problem> {
        let (property, field) = self.resolve(name)?;
        let kind = if field.inner.is_some() { Kind::Text } else { property.kind };
        let word = self.word()?;
        if word == "in" {
            let values = self.values(kind)?;
            return Ok(Filter::Test(field, Test::In(values)));
        }
        let order = Order::from_word(&word)
            .ok_or_else(|| invalid(&format!("Unrecognized operator '{word}'.")))?;
        let orders = matches!(kind, Kind::Text | Kind::Time);
        if !orders && !matches!(order, Order::Eq | Order::Ne) {
            return Err(unsupported(name, self.entity));
        }
        let value = self.value(kind)?;
        Ok(Filter::Test(field, Test::Is(order, value)))
    }

    fn values(&mut self, kind: Kind) -> Result<Vec<Value>, Problem> {
        self.expect(&Token::Open)?;
        let mut values = vec![self.value(kind)?];
        while self.take(&Token::Comma) {
            values.push(self.value(kind)?);
        }
        self.expect(&Token::Close)?;
        if values.len() > MOST_VALUES {
            return Err(Problem::unsupported_query(format!(
                "Too many child clauses specified in search filter expression: at most {MOST_VALUES}.",
            )));
        }
        Ok(values)
    }

    /// Parses a literal of this kind.
    fn value(&mut self, kind: Kind) -> Result<Value, Problem> {
        let value = match self.next()? {
            Token::Text(text) => Value::String(text),
            Token::Word(word) => match word.as_str() {
                "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(word),
            },
            other => return Err(invalid(&format!("Syntax error at '{other}'."))),
        };
        let fits = match kind {
            Kind::Bool => value.is_boolean() || value.is_null(),
            Kind::Text | Kind::Time => value.is_string() || value.is_null(),
            Kind::Texts | Kind::Object | Kind::Objects => false,
        };
        if fits {
            return Ok(value);
        }
        Err(invalid("A binary operator with incompatible types was detected."))
    }

    fn field(&self, name: &str, kind: Kind) -> Result<Field, Problem> {
        let (property, field) = self.resolve(name)?;
        let fits = property.kind == kind || (field.inner.is_some() && kind == Kind::Text);
        if fits {
            return Ok(field);
        }
        Err(unsupported(name, self.entity))
    }

    fn resolve(&self, path: &str) -> Result<(&'static Property, Field), Problem> {
        let (name, inner) = match path.split_once('/') {
            Some((name, inner)) => (name, Some(inner.to_owned())),
            None => (path, None),
        };
        let property =
            self.entity.property(name).ok_or_else(|| invalid(&self.entity.unknown(name)))?;
        let offered = match &inner {
            None => property.filterable,
            Some(inner) => is_extension_attribute(name, inner),
        };
        if !offered {
            return Err(unsupported(path, self.entity));
        }
        let field = Field { name: property.name, inner };
        Ok((property, field))
    }

    fn text(&mut self) -> Result<String, Problem> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            other => Err(invalid(&format!("Syntax error at '{other}'."))),
        }
    }

    fn word(&mut self) -> Result<String, Problem> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(invalid(&format!("Syntax error at '{other}'."))),
        }
    }

    fn next(&mut self) -> Result<Token, Problem> {
        let (first, rest) =
            self.tokens.split_first().ok_or_else(|| invalid("Expression expected at the end."))?;
        self.tokens = rest;
        Ok(first.clone())
    }

    fn take(&mut self, token: &Token) -> bool {
        match self.tokens {
            [first, rest @ ..] if first == token => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    fn expect(&mut self, token: &Token) -> Result<(), Problem> {
        if self.take(token) {
            return Ok(());
        }
        Err(invalid(&format!("Syntax error: '{token}' expected.")))
    }
}

fn is_extension_attribute(name: &str, inner: &str) -> bool {
    name == "onPremisesExtensionAttributes"
        && inner
            .strip_prefix("extensionAttribute")
            .and_then(|number| number.parse::<u8>().ok())
            .is_some_and(|number| (1..=15).contains(&number))
}

fn unsupported(path: &str, entity: &EntityType) -> Problem {
    Problem::unsupported_query(format!(
        "Unsupported or invalid query filter clause specified for property '{path}' of resource '{}'.",
        entity.noun
    ))
}
