package example;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import shizi.client.ShiziClient;

/** Makes the one client that all requests share. */
@Configuration
public class ShiziConfiguration {
    @Bean
    ShiziClient shizi(ShiziProperties properties) {
        String key = properties.key().isEmpty() ? null : properties.key();
        return ShiziClient.builder(properties.url()).key(key).timeout(properties.timeout()).build();
    }
}
