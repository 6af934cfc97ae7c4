"""Raw data that every machine has, or that the package brings: what `sslpipe demo` reads."""
