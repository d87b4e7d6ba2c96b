// A user's project in a temporary folder: the packed library and the Nest of one major version, installed
// from the registry as a user would. The application of ./application is compiled in it twice, as
// CommonJS and as ES modules, against the declarations of what is installed.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runNpm, runToEnd } from '../../scripts/child-processes.mjs';
import type { NodeVersion } from './node-versions.js';
import { root } from './packed-library.js';

/** The `type` of a package.json. */
export type ModuleKind = 'commonjs' | 'module';

export type Platform = 'express' | 'fastify';

const NEST = ['common', 'core', 'platform-express', 'platform-fastify'];
const PEERS_AND_VALIDATION = ['reflect-metadata', 'rxjs', 'class-transformer', 'class-validator'];
const INSTALL_OPTIONS = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

const application = fileURLToPath(new URL('./application', import.meta.url));

export class ScratchProject {
  private constructor(private readonly folder: string) {}

  /** @param nest its major version */
  static async install(folder: string, nest: number, archive: string): Promise<ScratchProject> {
    await mkdir(folder);
    await writeJson(join(folder, 'package.json'), { private: true });
    const packages = [...NEST.map((name) => `@nestjs/${name}@${nest}`), ...PEERS_AND_VALIDATION];
    await runNpm(['install', ...INSTALL_OPTIONS, archive, ...packages], {
      what: `npm install with Nest ${nest}`,
      cwd: folder,
      timeLimit: 240,
    });
    return new ScratchProject(folder);
  }

  /**
   * Compiles the application as each kind, in one go, since most declarations are the same. Gives what the compiler found
   * wrong: nothing, one hopes.
   */
  async compile(kinds: readonly ModuleKind[]): Promise<string> {
    for (const kind of kinds) {
      await cp(application, join(this.folder, kind), { recursive: true });
      await writeJson(join(this.folder, kind, 'package.json'), { type: kind });
    }
    await writeJson(join(this.folder, 'tsconfig.json'), {
      compilerOptions: {
        target: 'ES2023',
        module: 'NodeNext',
        strict: true,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        // As in most projects: the declarations of other packages would take three times as long.
        skipLibCheck: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        rootDir: '.',
      },
      include: kinds,
    });
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const end = await runToEnd(process.execPath, [compiler, '--project', this.folder], {
      what: 'the compiler',
      timeLimit: 120,
    });
    return end.stdout + end.stderr;
  }

  /** Runs the compiled application, which must end by itself, and gives what it prints. */
  async run(
    kind: ModuleKind,
    node: NodeVersion,
    platform: Platform,
    redis: string,
  ): Promise<unknown> {
    const program = join(this.folder, kind, 'main.js');
    const output = await run(node.program, [program, platform], {
      what: `the application on Node ${node.version}`,
      env: { REDIS_URL: redis },
      timeLimit: 60,
    });
    return JSON.parse(output);
  }
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, JSON.stringify(value, null, 2));
}
