// Reads FOCUS files with DuckDB and says what it sees. On standard input: {"rows": BOOL, "files": [{"format", "path", "columns": [{"name", "kind",
// "scale"}]}]}. On standard output, for every file: per currency the rows, and of every column the nulls and what it comes to. For Parquet also
// DuckDB's types, and the rows in which a price times a quantity is not the cost. With "rows", also how many rows are not those of the first
// file. Nothing of the writer's is used.
//
// DuckDB turns texts into DECIMAL(38,x) some hundred times slower than into BIGINT. So sums of texts are those of what stands before and
// behind the point, each exact; with "rows" every text becomes a DECIMAL.
const { DuckDBInstance } = require('@duckdb/node-api');
const { readFileSync } = require('node:fs');

const quoted = (s) => `'${s.replaceAll("'", "''")}'`;
const name = (c) => `"${c.name}"`;
const list = (columns, of) => columns.map(of).join(', ');

const typeOf = {
  'Decimal': (c) => `DECIMAL(38,${c.scale})`,
  'Date/Time': () => 'TIMESTAMP WITH TIME ZONE',
  'Integer': () => 'BIGINT',
};
const type = (c) => (typeOf[c.kind] ?? (() => 'VARCHAR'))(c);

// The columns of a file: typed in Parquet, texts in the others. DuckDB's JSON reader makes every number a double, so values that are no text
// are taken out of the line as they stand there.
const source = {
  'parquet': ({ path }) => `SELECT * FROM read_parquet(${quoted(path)})`,
  'csv.gz': ({ path, columns }) => `SELECT * FROM read_csv(${quoted(path)}, auto_detect=false, header=true, delim=',', quote='"', escape='"',
    columns={${list(columns, (c) => `${quoted(c.name)}: 'VARCHAR'`)}})`,
  'jsonl.gz': ({ path, columns }) => {
    const texts = columns.filter((c) => c.kind !== 'Decimal');
    const shape = `{${list(texts, (c) => `"${c.name}": "VARCHAR"`)}}`;
    const value = (c) => (c.kind === 'Decimal' ? `nullif(regexp_extract(line, '[{,]"${c.name}":(-?[0-9.]+)[,}]', 1), '')` : `texts.${name(c)}`);
    return `SELECT ${list(columns, (c) => `${value(c)} AS ${name(c)}`)} FROM (SELECT CAST(json AS VARCHAR) AS line,
      json_transform(json, ${quoted(shape)}) AS texts FROM read_json_objects(${quoted(path)}, format='newline_delimited'))`;
  },
};
const isTyped = (f) => f.format === 'parquet';

// What a column comes to, as a list of texts that finish puts together.
const figure = (c, typed) => {
  const v = name(c);
  if (c.kind === 'Date/Time') return typed ? `[CAST(epoch_ms(min(${v})) AS VARCHAR), CAST(epoch_ms(max(${v})) AS VARCHAR)]` : `[min(${v}), max(${v})]`;
  if (c.kind === 'Integer') return `[CAST(sum(CAST(${v} AS BIGINT)) AS VARCHAR)]`;
  if (c.kind !== 'Decimal') return /^Sku(Price)?Id$/.test(c.name) ? `[CAST(count(DISTINCT ${v}) AS VARCHAR)]` : `['']`;
  if (typed) return `[CAST(sum(${v}) AS VARCHAR)]`;
  const behind = `CAST(concat(CASE WHEN ${v} LIKE '-%' THEN '-' END, rpad(split_part(${v}, '.', 2), 18, '0')) AS BIGINT)`;
  return `[CAST(sum(CAST(split_part(${v}, '.', 1) AS BIGINT)) AS VARCHAR), CAST(sum(CASE WHEN ${v} IS NOT NULL THEN ${behind} END) AS VARCHAR)]`;
};

const second = (t) => (/^-?\d+$/.test(t) ? Number(t) : Date.parse(t)) / 1000;

const finish = (c, figures) => {
  if (c.kind === 'Date/Time') return figures.map(second).join(' ');
  if (c.kind !== 'Decimal' || figures.length === 1) return figures[0] ?? '';
  return `${BigInt(figures[0]) * 10n ** 18n + BigInt(figures[1])}e-18`;
};

const summary = (f) => `SELECT "BillingCurrency", CAST(count(*) AS VARCHAR),
  ${list(f.columns, (c) => `[CAST(count(*) - count(${name(c)}) AS VARCHAR)], ${figure(c, isTyped(f))}`)}
  FROM (${source[f.format](f)}) GROUP BY 1 ORDER BY 1`;

// FOCUS's own products, by DuckDB's decimals: the product of two DECIMAL(38,9) is exact.
const wrongProducts = (f) => `SELECT CAST(count(*) AS VARCHAR) FROM (${source.parquet(f)})
  WHERE "ListUnitPrice" * "PricingQuantity" <> "ListCost" OR "ContractedUnitPrice" * "PricingQuantity" <> "ContractedCost"`;

const typedRows = (f) => `SELECT ${list(f.columns, (c) => `CAST(${name(c)} AS ${type(c)}) AS ${name(c)}`)} FROM (${source[f.format](f)})`;

const differing = (columns) => `SELECT CAST(count(*) AS VARCHAR) FROM rows FULL JOIN first USING ("x_SourceRow")
  WHERE ${columns.filter((c) => c.name !== 'x_SourceRow').map((c) => `rows.${name(c)} IS DISTINCT FROM first.${name(c)}`).join(' OR ')}`;

async function look(db, f) {
  const all = async (sql) => (await db.runAndReadAll(sql)).getRowsJson();
  const currencies = (await all(summary(f))).map(([currency, rows, ...figures]) => ({
    currency, rows, figures: Object.fromEntries(f.columns.map((c, i) => [c.name, { nulls: figures[2 * i][0], figure: finish(c, figures[2 * i + 1]) }])),
  }));
  if (!isTyped(f)) return { currencies };
  const columns = (await all(`DESCRIBE ${source.parquet(f)}`)).map(([column, seen]) => `${column} ${seen}`);
  return { currencies, columns, wrongProducts: (await all(wrongProducts(f)))[0][0] };
}

async function compare(db, f, first) {
  await db.run(`CREATE OR REPLACE TABLE rows AS ${typedRows(f)}`);
  if (first) await db.run('CREATE TABLE first AS FROM rows');
  return (await db.runAndReadAll(differing(f.columns))).getRowsJson()[0][0];
}

async function main() {
  const ask = JSON.parse(readFileSync(0, 'utf8'));
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false', autoload_known_extensions: 'false', memory_limit: '2GB', threads: '2',
  });
  const db = await instance.connect();
  const files = [];
  for (const [i, f] of ask.files.entries()) {
    const seen = await look(db, f);
    if (ask.rows) seen.differ = await compare(db, f, i === 0);
    files.push(seen);
  }
  const version = (await db.runAndReadAll('SELECT version()')).getRowsJson()[0][0];
  process.stdout.write(JSON.stringify({ version, files }));
}

main().catch((e) => { console.error(e.message); process.exit(1); });
