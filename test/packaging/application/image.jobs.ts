// A handler with what an application puts around one: a guard, a validated payload, and a parameter
// decorator of its own, all of which need the metadata that Nest and nestjs-rq have to find in each other.
import {
  BadRequestException,
  createParamDecorator,
  ForbiddenException,
  Injectable,
  UseGuards,
  UsePipes,
  ValidationPipe,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { IsString, Matches } from 'class-validator';
import { Job, JobData, RqContext } from 'nestjs-rq';

export class ImageUpload {
  @IsString()
  @Matches(/\.jpg$/)
  path!: string;
}

@Injectable()
export class Owners {
  readonly blocked = 'mallory';
}

@Injectable()
export class NotBlocked implements CanActivate {
  constructor(private readonly owners: Owners) {}

  canActivate(context: ExecutionContext): boolean {
    return !String(RqContext.of<ImageUpload>(context).data.path).startsWith(this.owners.blocked);
  }
}

const Attempt = createParamDecorator(
  (_: unknown, context: ExecutionContext) => RqContext.of(context).job.attempt,
);

@Injectable()
export class ImageJobs {
  @Job({
    queue: 'images',
    retry: { max: 1, interval: 0.05, except: [BadRequestException, ForbiddenException] },
  })
  @UseGuards(NotBlocked)
  @UsePipes(new ValidationPipe({ transform: true }))
  async processImage(@JobData() image: ImageUpload, @Attempt() attempt: number) {
    if (attempt === 1) throw new Error('the first attempt fails');
    return `${image.constructor.name} ${image.path}`;
  }
}
