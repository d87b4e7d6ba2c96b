// A program that tests an application as a user's would, with nothing but the package, and says what it sees. When it
// has closed the application nothing is left to do: it must end by itself.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Job, RqModule } from 'nestjs-rq';
import { RqTesting, RqTestingModule } from 'nestjs-rq/testing';

const [mode] = process.argv.slice(2);
const ran = [];

class Jobs {
  sendMail(to) {
    ran.push(to);
  }
}
Job('mail')(
  Jobs.prototype,
  'sendMail',
  Object.getOwnPropertyDescriptor(Jobs.prototype, 'sendMail'),
);

class AppModule {}
Module({
  imports: [
    RqModule.forRoot({ connection: 'redis://127.0.0.1:1' }),
    RqModule.forRoot({ connection: 'redis://127.0.0.1:1', name: 'reports' }),
    RqModule.registerQueue('mail'),
  ],
  providers: [Jobs],
})(AppModule);

try {
  // The module itself is as good as its forRoot().
  const imports = [AppModule, RqTestingModule];
  const moduleRef = await Test.createTestingModule({ imports }).setLogger(false).compile();
  if (mode !== 'compiled only') {
    const app = moduleRef.createNestApplication({ logger: false });
    await app.init();
    const rq = app.get(RqTesting);
    await rq.queue('mail').enqueue('sendMail', 'ann');
    await rq.queue('mail').enqueueIn('1h', 'sendMail', 'bob');
    await rq.advance('1h');
    await app.close();
  }
  process.send({ ran });
} catch (error) {
  process.send({ error: { name: error.name, code: error.code, message: error.message } });
}
process.disconnect();
