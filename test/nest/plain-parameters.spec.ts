import { Injectable, type PipeTransform, UsePipes, ValidationPipe } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import { CurrentJob, Job, JobData, type RunningJob } from 'nestjs-rq';
import { explored } from './support/explored.js';

class ImageDto {
  @IsString() path!: string;
  @IsInt() width!: number;
}

const validation = new ValidationPipe({ transform: true });

@Injectable()
class PlainJobs {
  @UsePipes(validation)
  @Job('q')
  resize(image: ImageDto, job: RunningJob) {
    return [image instanceof ImageDto, image.width, job.id];
  }

  @Job('q')
  unchecked(image: ImageDto, job: RunningJob) {
    return [image instanceof ImageDto, image.width, job.id];
  }
}

@Injectable()
@UsePipes(validation)
class ClassJobs {
  @Job({ queue: 'q', name: 'onlyData' })
  onlyData(image: ImageDto) {
    return image.width;
  }

  @Job({ queue: 'q', name: 'decorated' })
  decorated(@CurrentJob() job: RunningJob, @JobData() image: ImageDto) {
    return [job.id, image.width];
  }
}

const bad = { path: 7, width: 'wide' };
const good = { path: '/a', width: 3 };

describe('a handler without parameter decorators', () => {
  it('has its data checked by the pipes of its method', async () => {
    const jobs = await explored({ providers: [PlainJobs] });
    await expect(jobs.run('resize', bad)).rejects.toMatchObject({
      response: { message: [expect.stringMatching(/^path/), expect.stringMatching(/^width/)] },
    });
    expect(await jobs.run('resize', good)).toEqual([true, 3, '1']);
    await jobs.close();
  });

  it('has its data checked by the pipes of its class', async () => {
    const jobs = await explored({ providers: [ClassJobs] });
    await expect(jobs.run('onlyData', bad)).rejects.toThrow('Bad Request');
    expect(await jobs.run('onlyData', good)).toBe(3);
    expect(await jobs.run('decorated', good)).toEqual(['1', 3]);
    await jobs.close();
  });

  it('has its data checked by the pipes for all jobs', async () => {
    const enhancers = { guards: [], interceptors: [], filters: [], pipes: [validation] };
    const jobs = await explored({ providers: [PlainJobs] }, { enhancers });
    await expect(jobs.run('unchecked', bad)).rejects.toThrow('Bad Request');
    expect(await jobs.run('unchecked', good)).toEqual([true, 3, '1']);
    await jobs.close();
  });

  it('has its data checked by the application’s global pipes, where these apply', async () => {
    const prepare = (app: { useGlobalPipes(...pipes: PipeTransform[]): unknown }) =>
      void app.useGlobalPipes(validation);
    const applied = await explored({ providers: [PlainJobs] }, { globalEnhancers: true, prepare });
    await expect(applied.run('unchecked', bad)).rejects.toThrow('Bad Request');
    await applied.close();
    const spared = await explored({ providers: [PlainJobs] }, { prepare });
    expect(await spared.run('unchecked', bad)).toEqual([false, 'wide', '1']);
    await spared.close();
  });
});
