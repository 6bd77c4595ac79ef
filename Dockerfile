# The app as a container: gunicorn with threads, no root, the data in /data.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 briefworks && install -d -o briefworks -g briefworks -m 700 /data
COPY pyproject.toml README.md LICENSE /src/
COPY briefworks /src/briefworks
COPY supabase /src/supabase
RUN pip install --no-cache-dir "/src[postgres]" "gunicorn>=23,<26" && rm -r /src

USER briefworks
WORKDIR /data
ENV BRIEFWORKS_DATA_DIR=/data BRIEFWORKS_THREADS=64 PORT=8000 PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000

# Whether it answers, not whether the engine does: a restart here mends nothing there. /healthz says both.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/api/session', timeout=4)"]

# One process: it counts its watchers. --graceful-timeout is below the 10 s that `docker stop` waits.
CMD ["sh", "-c", "exec gunicorn 'briefworks.web:create_app()' --bind 0.0.0.0:$PORT --threads $BRIEFWORKS_THREADS --graceful-timeout 8 --worker-tmp-dir /dev/shm"]
