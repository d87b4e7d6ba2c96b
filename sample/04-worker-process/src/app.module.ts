// One code base, two roles: both know the queue, the API has the controller, the worker the handlers.
import { type DynamicModule, Module } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import { RqModule } from 'nestjs-rq';
import { contextOfRequest, requestIds } from './request-id.js';
import { VideoJobs } from './video.jobs.js';
import { VideosController } from './videos.controller.js';

export type Role = 'api' | 'worker';

@Module({})
export class AppModule {
  static for(role: Role): DynamicModule {
    return {
      module: AppModule,
      imports: [
        requestIds,
        RqModule.forRootAsync({
          inject: [ClsService],
          useFactory: (cls: ClsService) => ({
            connection: process.env.REDIS_URL ?? 'redis://localhost:6379',
            context: contextOfRequest(cls),
            worker: role === 'worker' && {
              name: process.env.WORKER_NAME,
              // After this time the jobs of a worker that was killed run on another one.
              lease: process.env.WORKER_LEASE ?? '15s',
            },
          }),
        }),
        RqModule.registerQueue('videos'),
      ],
      controllers: role === 'api' ? [VideosController] : [],
      providers: role === 'worker' ? [VideoJobs] : [],
    };
  }
}
