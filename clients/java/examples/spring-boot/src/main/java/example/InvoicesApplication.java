package example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/** Takes pictures of invoices and answers with their fields. */
@SpringBootApplication
@ConfigurationPropertiesScan
public class InvoicesApplication {
    public static void main(String[] arguments) {
        SpringApplication.run(InvoicesApplication.class, arguments);
    }
}
