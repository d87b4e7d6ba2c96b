// The application: one queue with its handler, and an HTTP endpoint that hands a job over and waits for it.
import { Body, Controller, Module, Post } from '@nestjs/common';
import { InjectQueue, Queue, RqModule } from 'nestjs-rq';
import { ImageJobs, ImageUpload, NotBlocked, Owners } from './image.jobs.js';

@Controller('images')
class ImagesController {
  constructor(@InjectQueue('images') private readonly images: Queue<ImageJobs>) {}

  @Post()
  async process(@Body() image: ImageUpload) {
    const job = await this.images.enqueue('processImage', image);
    const outcome = await job.result({ timeout: 10 }).catch((error: Error) => error.message);
    return { outcome, attempts: (await job.refresh()).attempts };
  }

  /** Never called: it is here for the compiler, which must find what is wrong under each comment. */
  async wrong() {
    // @ts-expect-error -- no such job
    await this.images.enqueue('processImages', { path: 'a.jpg' });
    // @ts-expect-error -- the data has another type
    await this.images.enqueue('processImage', { path: 5 });
    // @ts-expect-error -- no such option
    await this.images.enqueue('processImage', { path: 'a.jpg' }, { retires: 1 });
    const job = await this.images.enqueue('processImage', { path: 'a.jpg' });
    // @ts-expect-error -- the result has another type
    const result: number = await job.result();
    return result;
  }
}

@Module({
  imports: [
    RqModule.forRoot({ connection: String(process.env.REDIS_URL) }),
    RqModule.registerQueue('images'),
  ],
  controllers: [ImagesController],
  providers: [ImageJobs, NotBlocked, Owners],
})
export class AppModule {}
