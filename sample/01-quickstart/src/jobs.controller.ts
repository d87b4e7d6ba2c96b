// The same over HTTP: POST hands work over and answers at once, GET tells what became of it.
import {
  Body,
  Controller,
  Get,
  HttpCode,
  NotFoundException,
  Param,
  Post,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { InjectQueue, Queue, type RqJob } from 'nestjs-rq';
import { ImageUpload } from './image.jobs.js';
import { Mail } from './mail.jobs.js';
import { UploadService } from './upload.service.js';

@Controller()
@UsePipes(new ValidationPipe({ whitelist: true }))
export class JobsController {
  constructor(
    private readonly uploads: UploadService,
    @InjectQueue('images') private readonly images: Queue,
    @InjectQueue('mail') private readonly mail: Queue,
  ) {}

  @Post('images')
  @HttpCode(202)
  async addImage(@Body() image: ImageUpload) {
    return accepted(await this.uploads.addImage(image));
  }

  @Post('mail')
  @HttpCode(202)
  async sendMail(@Body() mail: Mail) {
    return accepted(await this.uploads.sendMail(mail));
  }

  @Get('images/:id')
  image(@Param('id') id: string) {
    return describe(this.images, id);
  }

  @Get('mail/:id')
  mailJob(@Param('id') id: string) {
    return describe(this.mail, id);
  }
}

function accepted(job: RqJob) {
  return { id: job.id, see: `/${job.queue}/${job.id}` };
}

async function describe(queue: Queue, id: string) {
  const job = await queue.getJob(id);
  if (job === undefined) throw new NotFoundException(`queue ${queue.name} has no job ${id}`);
  return { id, status: await job.status() };
}
