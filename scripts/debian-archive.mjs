// Unpacks packages of any release of Debian into a folder, without installing anything: the tests need
// programs in versions that this system does not have. apt-get works on lists and a cache of its own
// here, so it needs no rights, changes nothing of the system and waits for nobody.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from './child-processes.mjs';

/** Whether this system has Debian's package tools. */
export function hasDebianTools() {
  return ['apt-get', 'dpkg-deb'].every(
    (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0,
  );
}

/** Downloads `packages` of the release `suite` ('trixie') and unpacks them into `target`. */
export async function unpackDebianPackages(suite, packages, target) {
  mkdirSync(target, { recursive: true });
  const work = mkdtempSync(join(target, 'download-'));
  try {
    for (const folder of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(work, folder), { recursive: true });
    }
    const sourceList = join(work, 'sources.list');
    writeFileSync(sourceList, `${sourceLine(suite)}\n`);
    const aptGet = (...args) =>
      run('apt-get', [...ownFolders(work, sourceList), '--quiet=2', ...args], {
        what: `apt-get ${args[0]} of Debian ${suite}`,
        cwd: work,
      });
    await aptGet('update');
    await aptGet('download', ...packages);
    for (const archive of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(work, archive), target], { what: `unpacking ${archive}` });
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function ownFolders(work, sourceList) {
  return [
    `-oDir::Etc::SourceList=${sourceList}`,
    '-oDir::Etc::SourceParts=-',
    `-oDir::State::Lists=${join(work, 'lists')}`,
    `-oDir::Cache=${join(work, 'cache')}`,
    // What is installed here says nothing about what to download.
    '-oDir::State::Status=/dev/null',
    '-oAcquire::Languages=none',
    '-oAcquire::Retries=3',
    // The download user of apt may not write into a checkout.
    '-oAPT::Sandbox::User=root',
  ];
}

/** One line of a source list for the suite, at the mirror and with the key ring the system itself trusts. */
function sourceLine(suite) {
  const known = [...deb822Sources(), ...oneLineSources()];
  const own = known.find((source) => /\/debian\/?$/.test(source.mirror));
  const mirror = process.env.DEBIAN_MIRROR ?? own?.mirror;
  if (mirror === undefined) {
    throw new Error(
      "the system's package sources name no Debian mirror; set DEBIAN_MIRROR to the address of one",
    );
  }
  const options = own?.keyring === undefined ? '' : `[signed-by=${own.keyring}] `;
  return `deb ${options}${mirror} ${suite} main`;
}

/** Sources in the newer form, `Key: value` paragraphs in `*.sources`. */
function deb822Sources() {
  return sourceFiles('.sources')
    .flatMap((text) => text.replace(/^#.*\n/gm, '').split(/\n\s*\n/))
    .map((paragraph) => ({
      mirror: /^URIs:\s*(\S+)/im.exec(paragraph)?.[1],
      keyring: /^Signed-By:\s*(\/\S+)/im.exec(paragraph)?.[1],
    }))
    .filter((source) => source.mirror !== undefined);
}

/** Sources in the older form, `deb [options] address suite component` lines. */
function oneLineSources() {
  return sourceFiles('.list').flatMap((text) =>
    [...text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)/gm)].map(([, options, mirror]) => ({
      mirror,
      keyring: /signed-by=(\/\S+)/.exec(options ?? '')?.[1],
    })),
  );
}

function sourceFiles(ending) {
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ['/etc/apt/sources.list', ...parts]
    .filter((file) => file.endsWith(ending) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
}
