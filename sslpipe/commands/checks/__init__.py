"""What `sslpipe doctor` looks at: the machine, what is installed, and the folder to build into."""
