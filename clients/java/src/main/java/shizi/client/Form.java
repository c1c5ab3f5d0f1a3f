package shizi.client;

import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A form with files (RFC 7578), which keeps a password out of the address; names are written as browsers do. */
final class Form {
    private final String boundary = "shizi-" + UUID.randomUUID();
    private final List<byte[]> parts = new ArrayList<>();

    Form(Map<String, String> fields) {
        fields.forEach((name, value) -> add(heading(name, ""), bytes(value)));
    }

    /** Add a file under the name of its part. */
    Form with(String part, Source source) {
        String file = "; filename=\"" + escaped(source.name()) + "\"\r\nContent-Type: application/octet-stream";
        add(heading(part, file), source.load());
        return this;
    }

    String contentType() {
        return "multipart/form-data; boundary=" + boundary;
    }

    BodyPublisher body() {
        List<byte[]> whole = new ArrayList<>(parts);
        whole.add(bytes("--" + boundary + "--\r\n"));
        long length = whole.stream().mapToLong(part -> part.length).sum(); // told, so that it is not sent in chunks
        return BodyPublishers.fromPublisher(BodyPublishers.ofByteArrays(whole), length);
    }

    private void add(byte[] heading, byte[] content) {
        parts.add(heading);
        parts.add(content);
        parts.add(bytes("\r\n"));
    }

    private byte[] heading(String name, String more) {
        String disposition = "Content-Disposition: form-data; name=\"" + escaped(name) + "\"" + more;
        return bytes("--" + boundary + "\r\n" + disposition + "\r\n\r\n");
    }

    private static String escaped(String name) {
        return name.replace("\"", "%22").replace("\r", "%0D").replace("\n", "%0A");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
