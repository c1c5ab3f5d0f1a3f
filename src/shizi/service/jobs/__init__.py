"""Jobs: long documents and many files, read page by page behind those who wait, and kept until they are fetched.

queue    what every store of jobs does, and the words for it        on_disk, on_redis   the two stores
runner   threads that take pages and have them read                 webhook             tells when a job is over
routes   /ocr/jobs
"""
