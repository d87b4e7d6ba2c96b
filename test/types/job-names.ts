import { Job, type JobHandlerOptions, JobsOf, type Queue } from 'nestjs-rq';

/**
 * Compiled by `npm run typecheck`, never run. A line under `@ts-expect-error` must not compile: a job is enqueued by the
 * name under which its handler is known to workers, and by no other.
 */

@JobsOf('images')
class ImageJobs {
  declare readonly jobNames: {
    'images.scan': 'scan';
    deepScan: 'scan';
    resize: 'resize';
    fit: 'resize';
  };

  @Job({ name: 'images.scan' })
  @Job({ name: 'deepScan', timeout: '5m' })
  scan(_data: { path: string }): number {
    return this.pixels();
  }

  // Under its own name, too.
  @Job()
  @Job({ name: 'fit' })
  resize(_data: { width: number }): void {}

  @Job({ name: 'trim' })
  trim(): void {}

  @Job()
  'images.flip'(_data: { path: string }): void {}

  onModuleInit(): void {}

  helper(): string {
    return 'no job';
  }

  private pixels(): number {
    return 5;
  }
}

class MailJobs {
  declare readonly jobNames: { 'mail.send': 'send' };

  @Job({ queue: 'images', name: 'mail.send' })
  send(_data: { to: string }): boolean {
    return true;
  }
}

class PlainJobs {
  @Job('images')
  plain(): void {}
}

export async function known(queue: Queue<ImageJobs>): Promise<number> {
  await queue.enqueue('fit', { width: 3 });
  await queue.enqueue('resize', { width: 3 });
  await queue.enqueue('trim');
  await queue.enqueue('images.flip', { path: '/a' });
  await queue.enqueueMany([{ name: 'deepScan', data: { path: '/a' } }, { name: 'trim' }]);
  return (await queue.enqueue('images.scan', { path: '/a' })).result();
}

export async function unknownNames(queue: Queue<ImageJobs>): Promise<void> {
  // @ts-expect-error -- its jobs have other names
  await queue.enqueue('scan', { path: '/a' });
  // @ts-expect-error -- nor in a list
  await queue.enqueueMany([{ name: 'scan', data: { path: '/a' } }]);
  // @ts-expect-error -- the data is that of the method
  await queue.enqueue('images.scan', { width: 3 });
  // @ts-expect-error -- a hook of Nest
  await queue.enqueue('onModuleInit');
  // @ts-expect-error -- private
  await queue.enqueue('pixels');
  // @ts-expect-error -- no method
  await queue.enqueue('jobNames');
}

/** A public method is taken for a job unless it is left out. */
export async function leftOut(queue: Queue<Omit<ImageJobs, 'helper'>>): Promise<void> {
  await queue.enqueue('images.scan', { path: '/a' });
  // @ts-expect-error -- left out
  await queue.enqueue('helper');
}

export async function together(queue: Queue<ImageJobs & MailJobs & PlainJobs>): Promise<boolean> {
  await queue.enqueue('images.scan', { path: '/a' });
  await queue.enqueue('plain');
  // @ts-expect-error -- its jobs have another name
  await queue.enqueue('send', { to: 'a@b.c' });
  return (await queue.enqueue('mail.send', { to: 'a@b.c' })).result();
}

const options: JobHandlerOptions = { queue: 'images' };
const name: string = 'images.'.concat('scan');

export class NotTold {
  // @ts-expect-error -- the class does not tell the name
  @Job({ queue: 'images', name: 'images.scan' })
  scan(): void {}

  @Job(options)
  withOptions(): void {}

  // What is no literal cannot be checked.
  @Job({ queue: 'images', name })
  withAnyName(): void {}
}

export class ToldWrongly {
  declare readonly jobNames: {
    'images.scan': 'scan';
    'images.crop': 'scan';
    'images.turn': 'turn';
  };

  // @ts-expect-error -- another name than the class tells
  @Job({ queue: 'images', name: 'images.scna' })
  scan(): void {}

  // @ts-expect-error -- the class tells it of another method
  @Job({ queue: 'images', name: 'images.crop' })
  crop(): void {}

  // @ts-expect-error -- the class tells another name
  @Job('images')
  turn(): void {}
}
