FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --create-home recon \
 && install -d -o recon -g recon -m 0700 /var/lib/recon/keys \
 && install -d -o recon -g recon -m 0755 /var/lib/recon/public
WORKDIR /app
COPY requirements/runtime.txt requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/runtime.txt -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY topics topics
COPY recon_streams recon_streams
COPY agents agents
COPY config config
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER recon
CMD ["recon-streams", "--help"]
