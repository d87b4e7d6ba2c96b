// POST hands a video over, GET tells how far it is: the answer comes from Redis, whichever worker has it.
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Logger,
  NotFoundException,
  Param,
  Post,
} from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import { InjectQueue, Queue } from 'nestjs-rq';
import type { Video, VideoJobs } from './video.jobs.js';

@Controller('videos')
export class VideosController {
  private readonly logger = new Logger('Videos');

  constructor(
    @InjectQueue('videos') private readonly videos: Queue<VideoJobs>,
    private readonly cls: ClsService,
  ) {}

  @Post()
  @HttpCode(202)
  async add(@Body() video: Video) {
    const job = await this.videos.enqueue('encode', video);
    this.logger.log(`request ${this.cls.getId()}: job ${job.id} is to encode ${video.title}`);
    return { id: job.id, see: `/videos/${job.id}` };
  }

  @Get(':id')
  async progress(@Param('id') id: string) {
    const job = await this.videos.getJob(id);
    if (job === undefined) throw new NotFoundException(`There is no video ${id}`);
    const { status, worker, attempts } = await job.refresh();
    const last = (await job.results()).at(-1);
    return { status, worker, attempts, result: last?.value };
  }
}
