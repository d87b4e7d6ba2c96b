// A small Nest application with one @Job method of each kind, and the same worker as `nestjs-rq.mjs` inside it.
// Plain JavaScript has no decorators: they are functions, applied here as the compiler would.

import 'reflect-metadata';
import { Injectable, Module, Scope, UsePipes, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { IsInt, IsString } from 'class-validator';
import { Job, RqModule } from '../../dist/index.js';

export const KINDS = ['bare', 'validated', 'request-scoped'];

/**
 * The application starts working as soon as it is started.
 * @param {{ kind: 'bare' | 'validated' | 'request-scoped', port: number, queues: string[], concurrency: number,
 *   handle: (data: any, id: string) => unknown }} options
 */
export async function openApplication({ kind, port, queues, concurrency, handle }) {
  class Benchmark {
    async work(data, job) {
      return handle(data, job.id);
    }
  }
  const scope = kind === 'request-scoped' ? Scope.REQUEST : Scope.DEFAULT;
  decorateClass(Benchmark, Injectable({ scope }));
  decorateMethod(Benchmark, 'work', [
    Job({ queue: queues[0] }),
    ...(kind === 'validated' ? [UsePipes(new ValidationPipe({ transform: true }))] : []),
    Reflect.metadata('design:paramtypes', [kind === 'validated' ? WorkData : Object, Object]),
  ]);

  class Application {}
  decorateClass(
    Application,
    Module({
      imports: [
        RqModule.forRoot({
          connection: { host: '127.0.0.1', port },
          worker: { queues, concurrency },
        }),
        RqModule.registerQueue(...queues),
      ],
      providers: [Benchmark],
    }),
  );

  let application;
  return {
    async start() {
      application = await NestFactory.createApplicationContext(Application, { logger: ['error'] });
    },
    stop: () => application?.close(),
  };
}

class WorkData {
  n;
  path;
}
for (const [property, decorate] of [
  ['n', IsInt()],
  ['path', IsString()],
]) {
  decorate(WorkData.prototype, property);
}

function decorateClass(target, decorate) {
  decorate(target);
}

function decorateMethod(target, method, decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, method);
  for (const decorate of decorators.reverse()) decorate(target.prototype, method, descriptor);
  Object.defineProperty(target.prototype, method, descriptor);
}
