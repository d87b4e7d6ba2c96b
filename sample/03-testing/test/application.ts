// The application as the tests see it: the whole of it, with a mail server that only remembers, and without Redis.
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RqTesting, RqTestingModule, type RqTestingOptions } from 'nestjs-rq/testing';
import { AppModule } from '../src/app.module.js';
import { Mailer } from '../src/mailer.js';

export class RememberingMailer {
  readonly sent: string[] = [];
  isDown = false;

  async send(to: string, text: string): Promise<void> {
    if (this.isDown) throw new Error('the mail server is down');
    this.sent.push(`${to}: ${text}`);
  }
}

export interface Application {
  readonly app: INestApplication;
  readonly rq: RqTesting;
  readonly mailer: RememberingMailer;
  /** Sends a request and gives the status of its answer. */
  readonly post: (path: string, body?: object) => Promise<number>;
}

export async function startApplication(options?: RqTestingOptions): Promise<Application> {
  const mailer = new RememberingMailer();
  const moduleRef = await Test.createTestingModule({
    imports: [AppModule, RqTestingModule.forRoot(options)],
  })
    .overrideProvider(Mailer)
    .useValue(mailer)
    .compile();
  const app = moduleRef.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const post = async (path: string, body: object = {}) => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.status;
  };
  return { app, rq: app.get(RqTesting), mailer, post };
}
