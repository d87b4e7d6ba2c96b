import * as common from '@nestjs/common';
import {
  BadRequestException,
  HttpStatus,
  Injectable,
  ParseIntPipe,
  type PipeTransform,
  type Type,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import {
  InvalidOptionError,
  Job,
  JobData,
  type JobDataOptions,
  type JobOptions,
  type Queue,
  RqModule,
  RqService,
} from 'nestjs-rq';
import { z } from 'zod';
import { eventually } from '../support/wait.js';
import { Applications, type LogLines } from './support/applications.js';
import { explored } from './support/explored.js';

const applications = Applications.forThisFile();

class ImageDto {
  @IsString() path!: string;
  @IsInt() width!: number;
}

const strict = new ValidationPipe({ transform: true, whitelist: true });

@Injectable()
@UsePipes(strict)
class ImageJobs {
  runs = 0;

  @Job({ queue: 'images', retry: { max: 2, interval: 0 } })
  resize(@JobData() image: ImageDto) {
    this.runs += 1;
    return image instanceof ImageDto && image.width;
  }

  @Job('images')
  silent(@JobData() image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'images', retry: { max: 2, interval: 0 } })
  parsed(@JobData('width', ParseIntPipe) width: number) {
    return width;
  }

  @UsePipes(new ValidationPipe({ errorHttpStatusCode: HttpStatus.UNPROCESSABLE_ENTITY }))
  @Job({ queue: 'images', retry: { max: 2, interval: 0 } })
  unprocessable(@JobData() image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'images', retry: { max: 2, interval: 0, except: [] } })
  patient(@JobData() image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'images', retry: { max: 2, interval: 0, on: [BadRequestException] } })
  expecting(@JobData() image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'images', retry: { max: 2, interval: 0, except: [RangeError] } })
  excepting(@JobData() image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'images', retry: { max: 2, interval: 0, when: () => true } })
  asked(@JobData() image: ImageDto) {
    return image.width;
  }
}

describe('a payload that fails validation', () => {
  let jobs: ImageJobs;
  let logs: LogLines;
  let images: Queue;
  let enqueue: (name: string, data: unknown, options?: JobOptions) => Promise<number>;

  beforeEach(async () => {
    const application = await applications.start({
      imports: [
        RqModule.forRoot(applications.root()),
        RqModule.registerQueue({
          name: 'images',
          defaultJobOptions: { retry: { max: 1, interval: 0 } },
        }),
      ],
      providers: [ImageJobs],
    });
    ({ logs } = application);
    jobs = application.app.get(ImageJobs);
    images = application.app.get(RqService).queue('images');
    /** Gives how many attempts the job took to fail. */
    enqueue = async (name, data, options) => {
      const job = await images.enqueue(name, data, options);
      await job.result({ timeout: 10 }).catch((error: unknown) => error);
      const attempts = await job.results();
      return attempts.at(-1)?.outcome === 'failed' ? attempts.length : 0;
    };
  });

  it('fails the job without a retry, and the method does not run', async () => {
    expect(await enqueue('resize', { width: 'wide' })).toBe(1);
    expect(await enqueue('parsed', { width: 'wide' })).toBe(1);
    expect(await enqueue('unprocessable', { width: 'wide' })).toBe(1);
    expect(jobs.runs).toBe(0);
  });

  it('does so whoever gave the policy, and also when the handler says nothing of retries', async () => {
    expect(await enqueue('resize', {}, { retry: { max: 5, interval: 0 } })).toBe(1);
    expect(await enqueue('silent', {})).toBe(1);
    expect(await enqueue('silent', {}, { retry: { max: 5, interval: 0 } })).toBe(1);
    expect(await enqueue('asked', {})).toBe(1);
  });

  it('is retried when the handler says itself which errors are worth it', async () => {
    expect(await enqueue('patient', {})).toBe(3);
    expect(await enqueue('expecting', {})).toBe(3);
    expect(await enqueue('excepting', {})).toBe(3);
  });

  it('is recorded and logged with the names of the fields', async () => {
    const job = await images.enqueue('resize', { width: 'wide' });
    const reason = 'Bad Request Exception: path must be a string; width must be an integer number';
    await expect(job.result({ timeout: 10 })).rejects.toThrow(reason);
    expect(await job.results()).toMatchObject([
      { outcome: 'failed', error: `BadRequestException: ${reason}` },
    ]);
    await eventually(() => logs.ours.at(-1)?.startsWith('error'), { what: 'the error line' });
    expect(logs.ours.at(-1)).toBe(
      `error RqWorker: Job resize (queue images, id ${job.id}): attempt 1 failed: ` +
        `BadRequestException: ${reason}; it does not run again: ` +
        'BadRequestException is not worth a retry unless retry.on or retry.except says so',
    );
  });
});

// Nest 11 has no such pipe.
const SchemaPipe = (common as { StandardSchemaValidationPipe?: Type<PipeTransform> })
  .StandardSchemaValidationPipe;

(SchemaPipe ? describe : describe.skip)('a Standard Schema', () => {
  const image = z.object({ path: z.string(), width: z.coerce.number().int() });
  type Image = z.infer<typeof image>;

  class SchemaJobs {
    @Job('q')
    resize(@JobData({ schema: image }) data: Image) {
      return data;
    }

    @Job('q')
    named(@JobData('path', { schema: z.string().min(1) }) path: string) {
      return path;
    }

    @Job('q')
    piped(@JobData({ schema: image, pipes: SchemaPipe ? [SchemaPipe] : [] }) data: Image) {
      return data;
    }
  }
  const pipes = () => ({ pipes: [new SchemaPipe!()] });
  const none = { guards: [], interceptors: [], filters: [] };

  it('validates and transforms the data by a pipe for all jobs', async () => {
    const jobs = await explored(
      { providers: [SchemaJobs] },
      { enhancers: { ...none, ...pipes() } },
    );
    expect(await jobs.run('resize', { path: '/a', width: '7', more: 1 })).toEqual({
      path: '/a',
      width: 7,
    });
    await expect(jobs.run('resize', { width: 1.5 })).rejects.toThrow(BadRequestException);
    expect(await jobs.run('named', { path: '/a' })).toBe('/a');
    await expect(jobs.run('named', { path: '' })).rejects.toThrow(BadRequestException);
    await jobs.close();
  });

  it('validates by a pipe of the parameter', async () => {
    const jobs = await explored({ providers: [SchemaJobs] });
    expect(await jobs.run('piped', { path: '/a', width: '7' })).toEqual({ path: '/a', width: 7 });
    await expect(jobs.run('piped', {})).rejects.toThrow(BadRequestException);
    await jobs.close();
  });

  it('fails the job without a retry, naming the fields', async () => {
    const { app } = await applications.start({
      imports: [RqModule.forRoot(applications.root({ enhancers: pipes() }))],
      providers: [SchemaJobs],
    });
    const queue = app.get(RqService).queue('q');
    const job = await queue.enqueue('resize', { width: 1.5 }, { retry: { max: 3, interval: 0 } });
    await expect(job.result({ timeout: 10 })).rejects.toThrow(/path: .*; width: /);
    expect(await job.results()).toHaveLength(1);
  });
});

it.each<[string, unknown[], RegExp]>([
  ['a schema for a pipe', [z.object({})], /pipe is a schema and no pipe: write \{ schema/],
  ['a schema after a name', ['path', z.string()], /pipe is a schema and no pipe/],
  ['an unknown option', [{ scheme: z.string() }], /scheme is not an option here/],
  ['no schema', [{ schema: ImageDto }], /schema must be a Standard Schema/],
  ['no pipe', ['path', 5], /options must be an object/],
  ['no pipe among pipes', [ParseIntPipe, {}], /pipe must be a class or an object with/],
  ['a schema in pipes', [{ pipes: [z.string()] }], /pipe is a schema and no pipe/],
  ['no list of pipes', [{ pipes: ParseIntPipe }], /pipes must be a list/],
  ['no pipe in pipes', ['path', { pipes: [{}] }], /pipe must be a class or an object with/],
])('@JobData with %s is an error that names the method', (_, given, message) => {
  const decorate = () => {
    class Bad {
      work(@JobData(...(given as [JobDataOptions])) _data: unknown) {}
    }
    return Bad;
  };
  expect(decorate).toThrow(InvalidOptionError);
  expect(decorate).toThrow(/^@JobData on Bad\.work: /);
  expect(decorate).toThrow(message);
});
