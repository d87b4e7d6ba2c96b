// Starts the application on the platform that is its argument, `express` or `fastify`, posts three images,
// closes it, prints what came of them as one line of JSON, and has nothing left that keeps it running.
import type { AbstractHttpAdapter } from '@nestjs/core';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

async function main() {
  const app = await NestFactory.create(AppModule, await adapter(), {
    logger: false,
    abortOnError: false,
  });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const post = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/images`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ path }),
    });
    return response.json();
  };
  const retried = await post('cat.jpg');
  const denied = await post('mallory.jpg');
  const invalid = await post('cat.exe');
  await app.close();
  console.log(JSON.stringify({ retried, denied, invalid }));
}

/** The package is named at run time: of the two, an application has the one that it uses. */
async function adapter(): Promise<AbstractHttpAdapter> {
  const platform = String(process.argv[2]);
  const adapters = (await import(`@nestjs/platform-${platform}`)) as Record<
    string,
    new () => AbstractHttpAdapter
  >;
  const Adapter = adapters[platform === 'fastify' ? 'FastifyAdapter' : 'ExpressAdapter'];
  if (Adapter === undefined) throw new Error(`@nestjs/platform-${platform} has no adapter`);
  return new Adapter();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
