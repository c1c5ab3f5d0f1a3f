package example;

import java.time.Duration;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import shizi.client.ShiziException;

/** Answers what the service refuses as problem details (RFC 9457): the caller's fault as such, ours as 502 or 503. */
@RestControllerAdvice
public class Refusals {
    @ExceptionHandler
    ResponseEntity<ProblemDetail> input(ShiziException.InputError error) {
        return answer(HttpStatus.valueOf(error.status()), error.getMessage(), Duration.ZERO);
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> busy(ShiziException.Busy error) {
        Duration again = error.retryAfter().orElse(Duration.ofSeconds(5));
        return answer(HttpStatus.SERVICE_UNAVAILABLE, "The reading service is busy.", again);
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> other(ShiziException error) {
        return answer(HttpStatus.BAD_GATEWAY, "The reading service does not answer as it should.", Duration.ZERO);
    }

    private static ResponseEntity<ProblemDetail> answer(HttpStatus status, String detail, Duration again) {
        ResponseEntity.BodyBuilder response = ResponseEntity.status(status);
        if (!again.isZero()) {
            response = response.header(HttpHeaders.RETRY_AFTER, String.valueOf(again.toSeconds()));
        }
        return response.body(ProblemDetail.forStatusAndDetail(status, detail));
    }
}
