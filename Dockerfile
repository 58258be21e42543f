# Two images from one file: `--target app` (bot and action server) and `--target rasa`.
FROM python:3.11-slim-bookworm AS app
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 ZORGBRUG_VAR=/var/lib/zorgbrug ZORGBRUG_DATA=/app/data
RUN useradd --create-home --uid 10001 zorgbrug && install -d -o zorgbrug /var/lib/zorgbrug
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY knowledge knowledge
COPY nlu nlu
COPY actions actions
# In place (-e): the chat page's files and the migrations are read from /app, where `data` is too.
RUN pip install -c constraints.txt -e .
COPY data data
USER zorgbrug
VOLUME /var/lib/zorgbrug
EXPOSE 8080
CMD ["zorgbrug", "serve"]

FROM python:3.10-slim-bookworm AS rasa
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PYTHONPATH=/app RASA_TELEMETRY_ENABLED=false \
    SQLALCHEMY_SILENCE_UBER_WARNING=1 TICKET_LOCK_LIFETIME=10 LOG_LEVEL=WARNING ZORGBRUG_VAR=/var/lib/zorgbrug
RUN useradd --create-home --uid 10001 zorgbrug && install -d -o zorgbrug /var/lib/zorgbrug /app/model \
    && apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY nlu/requirements.txt nlu/constraints.txt nlu/
RUN pip install -c nlu/constraints.txt -r nlu/requirements.txt
COPY nlu nlu
COPY data data
COPY config.yml endpoints.yml endpoints-scale.yml credentials.yml ./
RUN python -m nlu.faq_examples data /tmp/faq/faq.yml \
    && rasa train --config config.yml --domain data/domain --data data/nlu data/rules /tmp/faq \
       --out model --fixed-model-name zorgbrug && chown -R zorgbrug model
USER zorgbrug
VOLUME /var/lib/zorgbrug
CMD ["sh", "-c", "exec rasa run --interface 0.0.0.0 --port 5005 --enable-api \"--auth-token=$ZORGBRUG_RASA_TOKEN\" --model model/zorgbrug.tar.gz --credentials credentials.yml --endpoints endpoints${ZORGBRUG_RASA_TRACKER_URL:+-scale}.yml"]
