package example;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** Where the service is, what key it is called with ('' for none), and how long to wait for it. */
@ConfigurationProperties("shizi")
public record ShiziProperties(String url, String key, Duration timeout) {
}
