package example;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;
import shizi.client.ReadOptions;
import shizi.client.Reading;
import shizi.client.ShiziClient;
import shizi.client.Source;
import shizi.client.Verdict;

/** POST /invoices with a file: its fields, and whether a person has to look at them. */
@RestController
public class InvoiceController {
    private static final ReadOptions FIELDS = ReadOptions.defaults().fields(ReadOptions.Fields.AUTO);

    private final ShiziClient shizi;

    InvoiceController(ShiziClient shizi) {
        this.shizi = shizi;
    }

    /** What is answered. */
    public record Invoice(String decision, Map<String, String> fields) {
    }

    @PostMapping("/invoices")
    public Invoice read(@RequestParam("file") MultipartFile file) throws IOException {
        String name = Objects.requireNonNullElse(file.getOriginalFilename(), "invoice");
        Reading reading = shizi.read(Source.of(name, file.getBytes()), FIELDS);
        Map<String, String> fields = reading.fields().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().value()));
        return new Invoice(reading.verdict().map(Verdict::decision).orElse("review"), fields);
    }
}
