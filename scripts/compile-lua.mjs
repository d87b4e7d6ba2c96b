// Makes lib/store/scripts/compiled.ts out of the Lua files beside it, so that the scripts travel inside the code (a
// bundler finds no files) and nothing is parsed at run time. It runs before each build, type check, lint and test.
//
// A script's header names its keys and arguments:
//
//   -- KEYS  list       the queue
//   -- ARGV  prefix     how the names of all keys begin
//   --       jobs...    the number of jobs, then per job ...
//
// and its body uses the names: KEYS.list, ARGV.prefix, and INDEX.jobs for the place of the first of many. They are
// replaced by numbers here, at no cost per call. CLAIM.data and FURTHER.ttl are the places of a claim's fields, ROW.status
// of those of a list's row, JOB.place the distance of a new job's column from its first, FAILED.record that of a value of
// an outcome of this type.
//
// A line `--- @include NAME` puts in include/NAME.lua. A line `-- Flags allow-oom` in the header: where Redis knows such
// flags (7 and newer), the script may write although memory is full. The commands that a script runs are listed, so that
// the rights that it needs are known.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const folder = fileURLToPath(new URL('../lib/store/scripts/', import.meta.url));
const claim = await constantsOf(new URL('../lib/wire/claim-fields.ts', import.meta.url));
const row = await constantsOf(new URL('../lib/wire/row-fields.ts', import.meta.url));
const newJob = await constantsOf(new URL('../lib/wire/new-job-columns.ts', import.meta.url));
const outcome = await constantsOf(new URL('../lib/wire/outcome-columns.ts', import.meta.url));
/** What is given in rows, by the name of the table that holds the distances from the first. */
const columns = {
  JOB: newJob.NEW_JOB_COLUMNS,
  ...Object.fromEntries(
    Object.entries(outcome.OUTCOME_COLUMNS).map(([type, names]) => [type.toUpperCase(), names]),
  ),
};
const TABLES = new RegExp(
  `\\b(KEYS|ARGV|INDEX|CLAIM|FURTHER|ROW|${Object.keys(columns).join('|')})\\.(\\w+)`,
  'g',
);

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.lua'))
  .map((name) => name.slice(0, -'.lua'.length))
  .toSorted();
if (names.length === 0) throw new Error('No .lua file found: the library could not talk to Redis.');

const text = [
  '// Made by scripts/compile-lua.mjs out of the .lua files beside it.',
  ...names.map((name) => moduleText(name, compile(name))),
].join('\n\n');
const target = `${folder}compiled.ts`;
if (!existsSync(target) || readFileSync(target, 'utf8') !== `${text}\n`) {
  writeFileSync(target, `${text}\n`);
}

function compile(name) {
  const source = readFileSync(`${folder}${name}.lua`, 'utf8');
  const header = headerOf(source);
  const keys = declared(header, 'KEYS', name);
  const values = declared(header, 'ARGV', name);
  const whole = included(source, name);
  const locals = localsOf(whole);
  // Lua allows 200 in one function; what is not counted here (several in a line, in blocks) needs room, too.
  if (locals > 150) throw new Error(`${name}.lua: ${locals} lines of locals are too many for Lua`);
  const lines = whole.split('\n').filter((line) => !/^\s*(--|$)/.test(line));
  const body = withConstants(withoutUnused(lines))
    .map((line) => line.replace(/^\s+/, ''))
    .join('\n');
  const replaced = body
    .replace(TABLES, (_, table, word) => {
      if (table === 'CLAIM') return place(claim.CLAIM_FIELDS, word, `${name}: CLAIM.${word}`);
      if (table === 'FURTHER') return place(claim.FURTHER_FIELDS, word, `${name}: FURTHER.${word}`);
      if (table === 'ROW') return place(row.ROW_FIELDS, word, `${name}: ROW.${word}`);
      if (table in columns) {
        return String(place(columns[table], word, `${name}: ${table}.${word}`) - 1);
      }
      const list = table === 'KEYS' ? keys : values;
      const number = place(
        list,
        table === 'INDEX' ? `${word}...` : word,
        `${name}: ${table}.${word}`,
      );
      return table === 'INDEX' ? number : `${table}[${number}]`;
    })
    .replaceAll(' + 0]', ']')
    .replaceAll('CLAIM_FIELD_NAMES', luaList(claim.CLAIM_FIELDS))
    .replaceAll('FURTHER_FIELD_NAMES', luaList(claim.FURTHER_FIELDS))
    .replaceAll('RARE_FIELD_NAMES', luaList(claim.RARE_FIELDS))
    .replaceAll('ROW_FIELD_NAMES', luaList(row.ROW_FIELDS))
    .replaceAll('CLAIM_FIELD_COUNT', claim.CLAIM_FIELDS.length)
    .replaceAll('FURTHER_FIELD_COUNT', claim.FURTHER_FIELDS.length)
    .replaceAll('RARE_FIELD_COUNT', claim.RARE_FIELDS.length);
  // What a script uses again and again is looked up once.
  const local = `local KEYS, ARGV, call, try = KEYS, ARGV, redis.call, redis.pcall\n${replaced}`
    .replaceAll('redis.call(', 'call(')
    .replaceAll('redis.pcall(', 'try(');
  const flags = header.map((line) => /^-- Flags (.+)$/.exec(line)?.[1]).find(Boolean) ?? '';
  return {
    keys,
    values: values.filter((value) => !value.endsWith('...')),
    flags,
    commands: commandsOf(replaced),
    text: local,
  };
}

function moduleText(name, { keys, values, flags, commands, text: lua }) {
  const list = (words) => `[${words.map((word) => `'${word}'`).join(', ')}]`;
  const exported = name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
  return `export const ${exported} = {
  name: '${name}',
  keys: ${list(keys)},
  values: ${list(values)},
  flags: '${flags}',
  commands: ${list(commands)},
  text: ${JSON.stringify(lua)},
} as const;`;
}

/** The commands that a script may run, as an ACL names them: they are always written as literals. */
function commandsOf(lua) {
  const found = new Set();
  const call =
    /(?:call\(|batched\(|pcall\(batched, )(?:front and )?'([A-Z]+)'(?: or '([A-Z]+)'|, '(NUMSUB)')?/g;
  for (const [, command, other, sub] of lua.matchAll(call)) {
    found.add(sub ? `${command}|${sub}` : command);
    if (other) found.add(other);
  }
  const commands = [...found].map((command) => command.toLowerCase());
  return commands.toSorted((one, other) => (one < other ? -1 : 1));
}

function headerOf(source) {
  const lines = source.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return lines.slice(0, end);
}

/** The names that a header lists under KEYS or ARGV: the first word of each line there. */
function declared(header, word, script) {
  const from = header.findIndex((line) => new RegExp(`^-- ${word}\\b`).test(line));
  if (from === -1) throw new Error(`${script}.lua: the header has no line "-- ${word}"`);
  const found = [];
  for (const line of header.slice(from)) {
    const match = /^-- (?:KEYS|ARGV|    ) {1,2}(\w+(?:\.\.\.)?)(?:  |$)/.exec(line);
    const isNext = line !== header[from] && /^-- ?[A-Z]/.test(line);
    if (isNext || line.trim() === '--') break;
    if (match && match[1] !== 'none') found.push(match[1]);
  }
  const twice = found.find((name, index) => found.indexOf(name) !== index);
  if (twice) throw new Error(`${script}.lua: ${word} names "${twice}" twice`);
  return found;
}

/** What is included in a function stands as deep as the line that includes it. */
function included(source, script) {
  return source.replace(/^( *)--- @include (\S+)$/gm, (_, indent, name) => {
    const path = `${folder}include/${name}.lua`;
    if (!existsSync(path)) throw new Error(`${script}.lua includes "${name}", which is not there`);
    return included(readFileSync(path, 'utf8'), script).replaceAll(/^(?=.)/gm, indent);
  });
}

/** The most lines that begin with `local`, equally deep, without a line between them that is less deep. */
function localsOf(lua) {
  const counts = new Map();
  let most = 0;
  for (const line of lua.split('\n')) {
    const [, indent, word] = /^( *)(\w+)?/.exec(line);
    if (line.trim() === '') continue;
    for (const depth of counts.keys()) if (depth > indent.length) counts.delete(depth);
    if (word !== 'local') continue;
    counts.set(indent.length, (counts.get(indent.length) ?? 0) + 1);
    most = Math.max(most, counts.get(indent.length));
  }
  return most;
}

/**
 * Making a function costs each call a fifth of a small command, and as much again for each local that it uses: those that
 * nothing calls are left out.
 */
function withoutUnused(lines) {
  for (let from = lines.length - 1; from >= 0; from -= 1) {
    const [, indent, name] = /^( *)local function (\w+)/.exec(lines[from]) ?? [];
    if (name === undefined) continue;
    const isOneLine = /\bend$/.test(lines[from]);
    const to = isOneLine
      ? from
      : lines.findIndex((line, at) => at > from && line === `${indent}end`);
    const endOfBlock = lines.findIndex((line, at) => at > to && /^ */.exec(line)[0] < indent);
    const rest = lines.slice(to + 1, endOfBlock === -1 ? undefined : endOfBlock).join('\n');
    if (new RegExp(`\\b${name}\\b`).test(rest)) continue;
    return withoutUnused([...lines.slice(0, from), ...lines.slice(to + 1)]);
  }
  return lines;
}

/** A number or text that has a name in capitals stands where the name does: as a local, each function would hold it. */
function withConstants(lines) {
  const declaration =
    /^ *local ([A-Z][A-Z_]*(?:, [A-Z][A-Z_]*)*) = ((?:-?\d+|'[^']*')(?:, (?:-?\d+|'[^']*'))*)$/;
  const constants = new Map();
  const isAssigned = (names) =>
    lines.some((line) =>
      new RegExp(`^ *(if .* then )?(${names.replaceAll(', ', '|')}) = `).test(line),
    );
  const rest = lines.filter((line) => {
    const [, names, literals] = declaration.exec(line) ?? [];
    if (names === undefined || isAssigned(names)) return true;
    const values = literals.split(', ');
    for (const [index, name] of names.split(', ').entries()) {
      const known = constants.get(name) ?? values[index];
      if (known !== values[index]) throw new Error(`${name} is ${known} and ${values[index]}`);
      constants.set(name, known);
    }
    return false;
  });
  if (constants.size === 0) return lines;
  for (const name of constants.keys()) {
    const other = new RegExp(
      `\\blocal [\\w, ]*\\b${name}\\b|\\bfunction\\b[^(]*\\([^)]*\\b${name}\\b`,
    );
    const line = rest.find((one) => other.test(one));
    if (line) throw new Error(`${name} is a constant, and in "${line.trim()}" something else`);
  }
  const uses = new RegExp(`(?<![\\w.'])(${[...constants.keys()].join('|')})(?![\\w'])`, 'g');
  return rest.map((line) => line.replace(uses, (name) => constants.get(name)));
}

function place(list, word, where) {
  const index = list.indexOf(word);
  if (index === -1) throw new Error(`${where} is not declared; there is: ${list.join(', ')}`);
  return String(index + 1);
}

function luaList(fields) {
  return fields.map((field) => `'${field}'`).join(', ');
}

async function constantsOf(url) {
  const { outputText } = ts.transpileModule(readFileSync(url, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}
