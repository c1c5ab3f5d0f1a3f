"""Just enough of Spring's names for the example of the Java client to be compiled without Spring."""

from pathlib import Path

_ANNOTATIONS = {
    "org.springframework.boot.autoconfigure.SpringBootApplication": "",
    "org.springframework.boot.context.properties.ConfigurationPropertiesScan": "",
    "org.springframework.boot.context.properties.ConfigurationProperties": "String value();",
    "org.springframework.context.annotation.Bean": "",
    "org.springframework.context.annotation.Configuration": "",
    "org.springframework.web.bind.annotation.PostMapping": "String value();",
    "org.springframework.web.bind.annotation.RequestParam": "String value();",
    "org.springframework.web.bind.annotation.RestController": "",
    "org.springframework.web.bind.annotation.RestControllerAdvice": "",
    "org.springframework.web.bind.annotation.ExceptionHandler": "",
}
_TYPES = {
    "org.springframework.boot.SpringApplication": "class SpringApplication {"
    " public static void run(Class<?> primary, String... arguments) { } }",
    "org.springframework.web.multipart.MultipartFile": "interface MultipartFile {"
    " String getOriginalFilename(); byte[] getBytes() throws java.io.IOException; }",
    "org.springframework.http.HttpHeaders": "class HttpHeaders {"
    ' public static final String RETRY_AFTER = "Retry-After"; }',
    "org.springframework.http.HttpStatus": "enum HttpStatus { BAD_GATEWAY, SERVICE_UNAVAILABLE;"
    " public static HttpStatus valueOf(int status) { return BAD_GATEWAY; } }",
    "org.springframework.http.ProblemDetail": "class ProblemDetail {"
    " public static ProblemDetail forStatusAndDetail(HttpStatus status, String detail) { return null; } }",
    "org.springframework.http.ResponseEntity": "class ResponseEntity<T> {"
    " public static BodyBuilder status(HttpStatus status) { return null; }"
    " public interface BodyBuilder {"
    " BodyBuilder header(String name, String... values); <T> ResponseEntity<T> body(T body); } }",
}


def write(folder: Path) -> list[str]:
    """Write the sources under `folder`; give their paths."""
    written = {
        name: f"@interface {name.rpartition('.')[2]} {{ {body} }}" for name, body in _ANNOTATIONS.items()
    } | _TYPES
    paths = []
    for name, body in written.items():
        path = folder / f"{name.replace('.', '/')}.java"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"package {name.rpartition('.')[0]};\n\npublic {body}\n")
        paths.append(str(path))
    return paths
