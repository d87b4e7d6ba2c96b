// Makes `toHaveEnqueued` known to `expect`.
import 'nestjs-rq/testing/jest';
