//! What a database has beside its rows, as its catalogue tells it: one line a thing, its name and what it is.

use crate::{
    process::session::Session,
    service::contract::{ServiceError, Structure},
};

/// Between the name of a thing and what it is.
const BETWEEN: char = '\u{2}';

/// Relations of the database's own. Asked for in each question: a server that takes no writes keeps no view for it.
const OWN: &str = "(SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend d \
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";

/// What is asked. Things of the system's own and of extensions are left out; names that a restore makes anew, too.
const QUESTIONS: &str = r"
\pset fieldsep '\002'
SELECT 'server', CASE WHEN pg_is_in_recovery() THEN 'takes no writes: it is still in recovery' ELSE 'takes writes' END;

SELECT 'encoding', pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = current_database();

SELECT 'extension ' || extname, 'there' FROM pg_extension;

SELECT 'role ' || rolname,
  concat_ws(', ', CASE WHEN rolcanlogin THEN 'may log in' ELSE 'may not log in' END, CASE WHEN rolsuper THEN 'superuser' END,
    CASE WHEN rolcreatedb THEN 'makes databases' END, CASE WHEN rolcreaterole THEN 'makes roles' END,
    CASE WHEN rolreplication THEN 'replicates' END, CASE WHEN rolbypassrls THEN 'sees every row' END,
    CASE WHEN rolpassword IS NULL THEN 'has no password' ELSE 'has a password' END)
  FROM pg_authid WHERE rolname !~ '^pg_' AND oid <> 10;

SELECT 'membership ' || m.rolname || ' in ' || r.rolname, 'there'
  FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid WHERE m.rolname !~ '^pg_';

SELECT 'owner of ' || own.relname, pg_get_userbyid(relowner) FROM {own} own WHERE relkind IN ('r', 'p', 'v', 'm', 'S');

SELECT 'right of ' || coalesce(r.rolname, 'everybody') || ' on ' || own.relname, string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type)
  FROM {own} own, aclexplode(own.relacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
  WHERE g.grantee <> own.relowner AND relkind IN ('r', 'p', 'v', 'm', 'S') GROUP BY 1;

SELECT 'column ' || own.relname || '.' || a.attname,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
    CASE a.attidentity WHEN '' THEN NULL ELSE 'identity' END, CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated' END
    || ' ' || pg_get_expr(d.adbin, d.adrelid))
  FROM {own} own JOIN pg_attribute a ON a.attrelid = own.oid LEFT JOIN pg_attrdef d ON d.adrelid = own.oid AND d.adnum = a.attnum
  WHERE relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped;

SELECT 'constraint ' || con.conname || ' of ' || own.relname,
  pg_get_constraintdef(con.oid) || CASE WHEN con.convalidated THEN '' ELSE ' (never checked)' END
  FROM {own} own JOIN pg_constraint con ON con.conrelid = own.oid WHERE con.contype IN ('c', 'f', 'p', 'u', 'x');

SELECT 'index ' || c.relname || ' of ' || own.relname,
  pg_get_indexdef(c.oid) || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' (not valid)' END
  FROM {own} own JOIN pg_index i ON i.indrelid = own.oid JOIN pg_class c ON c.oid = i.indexrelid WHERE own.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT FROM pg_constraint con WHERE con.conindid = c.oid AND con.contype IN ('p', 'u', 'x'));

SELECT 'trigger ' || t.tgname || ' of ' || own.relname, pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'D' THEN ' (switched off)' ELSE '' END
  FROM {own} own JOIN pg_trigger t ON t.tgrelid = own.oid WHERE NOT t.tgisinternal;

SELECT 'view ' || relname, pg_get_viewdef(own.oid) FROM {own} own WHERE relkind IN ('v', 'm') AND relpersistence <> 't';

SELECT 'sequence ' || own.relname, 'there' FROM {own} own WHERE relkind = 'S'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = own.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0);

SELECT format('SELECT %L, CASE WHEN s.next > t.newest THEN ''ahead of its rows'' '
  'ELSE ''gives '' || s.next || '' next, and a row has '' || t.newest || '' already'' END '
  'FROM (SELECT last_value + is_called::int AS next FROM %s) s, (SELECT coalesce(max(%I), 0) AS newest FROM %s) t',
  'sequence ' || own.relname, own.oid::regclass, a.attname, a.attrelid::regclass)
  FROM {own} own JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = own.oid AND d.deptype IN ('a', 'i')
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE own.relkind = 'S' ORDER BY own.relname
\gexec
";

/// Asks a database for all of it.
///
/// # Errors
/// What the server says.
pub(super) async fn read(session: &mut Session) -> Result<Structure, ServiceError> {
    let mut structure = Structure::new();
    let mut last = String::new();
    let questions = QUESTIONS.replace("{own}", OWN);
    let told = session.tell(questions.as_bytes(), |line| {
        let line = String::from_utf8_lossy(line);
        match line.split_once(BETWEEN) {
            Some((name, what)) => {
                last = name.to_owned();
                structure.insert(name.to_owned(), what.to_owned());
            }
            // A definition may have lines of its own.
            None => structure.entry(last.clone()).or_default().push_str(&format!(" {}", line.trim())),
        }
    });
    told.await.map_err(ServiceError)?;
    Ok(structure)
}
